#include "forge/kernels/cuda/weights/layout.h"

#include "forge/base/check.h"

namespace forge::kernels::cuda {
namespace {

constexpr int64_t kPlaneAlignment = 256;

int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

/// Beside 32 columns of a row.
int64_t scale_bytes(ScaleKind scales) {
  if (scales == ScaleKind::kNone) return 0;
  return scales == ScaleKind::kGroup32 ? 2 : 4;
}

}  // namespace

bool has_packed_form(DType dtype) {
  switch (dtype) {
    case DType::kF32:
    case DType::kF16:
    case DType::kBF16:
      return true;
    default:
      return weight_kind(dtype) != WeightKind::kPlain;
  }
}

WeightKind weight_kind(DType dtype) {
  switch (dtype) {
    case DType::kQ8_0:
    case DType::kQ8_K:
      return WeightKind::kInt8;
    case DType::kQ4_0:
      return WeightKind::kInt4;
    case DType::kQ4_1:
    case DType::kQ4_K:
      return WeightKind::kInt4Min;
    case DType::kQ5_0:
      return WeightKind::kInt5;
    case DType::kQ5_1:
    case DType::kQ5_K:
      return WeightKind::kInt5Min;
    case DType::kQ6_K:
      return WeightKind::kInt6;
    default:
      return WeightKind::kPlain;
  }
}

Status check_packing(DType dtype, WeightKind kind, ProductType product_type) {
  if (!has_packed_form(dtype)) {
    return make_error("{} has no packed form and is not decoded", name(dtype));
  }
  if (element_bytes(product_type) == 4 && weight_kind(dtype) != WeightKind::kPlain) {
    return make_error("{} has no packed form with products in {}: decode it first", name(dtype),
                      name(product_type));
  }
  const bool is_plain = info(dtype).block_len == 1;
  const bool quantises = is_plain && element_bytes(product_type) == 2 &&
                         (kind == WeightKind::kInt8 || kind == WeightKind::kInt4);
  if (kind == weight_kind(dtype) || quantises) return {};
  const Planes planes = planes_of(kind, product_type);
  return make_error("{} cannot become weights of {} bits in groups with {}", name(dtype),
                    planes.low_bits + planes.high_bits,
                    planes.scales == ScaleKind::kGroup32Min ? "a min" : "no min");
}

PackedLayout packed_layout(WeightKind kind, int64_t rows, int64_t columns,
                           ProductType product_type) {
  constexpr int64_t kMost = (int64_t{1} << 31) - kStepColumns;
  FORGE_CHECK(rows > 0 && rows <= kMost && columns > 0 && columns <= kMost, "a matrix of {} x {}",
              rows, columns);
  PackedLayout layout{.kind = kind,
                      .product_type = product_type,
                      .rows = static_cast<int32_t>(round_up(rows, kRowTile)),
                      .columns = static_cast<int32_t>(round_up(columns, kStepColumns))};
  const Planes planes = planes_of(kind, product_type);
  const int64_t values = int64_t{layout.rows} * layout.columns;
  const int64_t groups = values / 32;
  const int64_t group_bytes = scale_bytes(planes.scales);
  if (kind == WeightKind::kPlain)
    layout.row_bytes = int64_t{layout.columns} * element_bytes(product_type);
  layout.high_offset = round_up(values / 8 * planes.low_bits, kPlaneAlignment);
  layout.scales_offset =
      layout.high_offset + round_up(values / 8 * planes.high_bits, kPlaneAlignment);
  layout.bytes = layout.scales_offset + round_up(groups * group_bytes, kPlaneAlignment);
  return layout;
}

PackedMatrix place(const PackedLayout& layout, const std::byte* memory) {
  const Planes planes = planes_of(layout.kind, layout.product_type);
  PackedMatrix matrix{.kind = layout.kind,
                      .product_type = layout.product_type,
                      .rows = layout.rows,
                      .columns = layout.columns,
                      .low = memory,
                      .row_bytes = layout.row_bytes};
  if (memory == nullptr) return matrix;
  if (planes.high_bits > 0) matrix.high = memory + layout.high_offset;
  if (planes.scales != ScaleKind::kNone) matrix.scales = memory + layout.scales_offset;
  return matrix;
}

PackedMatrix rows_of(const PackedMatrix& matrix, int32_t first_row, int32_t n_rows) {
  FORGE_CHECK(first_row % kRowTile == 0 && n_rows % kRowTile == 0 && first_row >= 0 &&
                  n_rows >= 0 && first_row + n_rows <= matrix.rows,
              "rows {} + {} of {}", first_row, n_rows, matrix.rows);
  PackedMatrix part = matrix;
  part.rows = n_rows;
  const Planes planes = planes_of(matrix.kind, matrix.product_type);
  // Row tiles lie one after another in every plane.
  const int64_t values = int64_t{first_row} * matrix.columns;
  part.low += values / 8 * planes.low_bits;
  if (part.high != nullptr) part.high += values / 8 * planes.high_bits;
  if (part.scales != nullptr) part.scales += values / 32 * scale_bytes(planes.scales);
  return part;
}

}  // namespace forge::kernels::cuda
