// How much room a packed matrix takes and where its planes lie in it. Needs no device.
#pragma once

#include <cstddef>
#include <cstdint>

#include "forge/base/result.h"
#include "forge/kernels/cuda/weights/packed_matrix.h"
#include "forge/tensor/dtype.h"

namespace forge::kernels::cuda {

/// The kind that holds a checkpoint's type: without loss in its numbers, with scales and plain
/// values rounded to 16 bits. kPlain where the type has no kind of its own (see has_packed_form()).
[[nodiscard]] WeightKind weight_kind(DType dtype);

/// Whether pack() reads blocks of this type. What it does not read (Q2_K, Q3_K, the codebook
/// types) is decoded on the CPU first (tensor/decode.h), to f32 or bf16, and becomes kPlain.
[[nodiscard]] bool has_packed_form(DType dtype);

/// Fails where pack() cannot make a matrix of this kind of the type. Plain values become kPlain, or
/// with 16-bit products kInt8 or kInt4; blocks, with these products only, weight_kind(dtype).
[[nodiscard]] Status check_packing(DType dtype, WeightKind kind,
                                   ProductType product_type = ProductType::kBf16);

/// Sizes and places in bytes, all multiples of 256. Planes a kind does not have are empty.
struct PackedLayout {
  WeightKind kind = WeightKind::kPlain;
  ProductType product_type = ProductType::kBf16;
  int32_t rows = 0;     // padded
  int32_t columns = 0;  // padded
  int64_t row_bytes = 0;
  int64_t high_offset = 0;  // `low` lies at 0
  int64_t scales_offset = 0;
  int64_t bytes = 0;  // of all planes
};

/// Of a matrix of these real rows and columns, both at least 1 and at most 2^31 - 64.
[[nodiscard]] PackedLayout packed_layout(WeightKind kind, int64_t rows, int64_t columns,
                                         ProductType product_type = ProductType::kBf16);

/// The matrix in layout.bytes bytes of device memory, 256-byte aligned; null: a matrix without
/// planes.
[[nodiscard]] PackedMatrix place(const PackedLayout& layout, const std::byte* memory);

/// Rows [first_row, first_row + n_rows) of a matrix, both multiples of kRowTile, as a matrix.
[[nodiscard]] PackedMatrix rows_of(const PackedMatrix& matrix, int32_t first_row, int32_t n_rows);

}  // namespace forge::kernels::cuda
