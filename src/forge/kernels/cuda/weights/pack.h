// From the bytes of a checkpoint to packed matrices, on the device.
#pragma once

#include <cstddef>
#include <cstdint>

#include "forge/base/result.h"
#include "forge/kernels/cuda/runtime/stream.h"
#include "forge/kernels/cuda/weights/packed_matrix.h"
#include "forge/tensor/dtype.h"

namespace forge::kernels::cuda {

/// Which rows of a packed matrix those of a checkpoint's matrix become.
struct RowPlace {
  enum class Order : uint8_t {
    kStacked,  // row r is row offset + r:  Q, K and V below each other
    kGate,     // row r is row 16 (r / 8) + r % 8:      Finish::kGated wants gate and up in eights
    kUp,       // row r is row 16 (r / 8) + r % 8 + 8
  };
  Order order = Order::kStacked;
  int32_t offset = 0;  // kStacked

  /// The checkpoint's row that becomes row `packed`, which may be negative or too large; none: -1.
  [[nodiscard]] constexpr int64_t source_of(int64_t packed) const {
    if (order == Order::kStacked) return packed - offset;
    const bool is_up = packed % 16 >= 8;
    return is_up == (order == Order::kUp) ? packed / 16 * 8 + packed % 8 : -1;
  }
  /// The row that row `source` becomes.
  [[nodiscard]] constexpr int64_t packed_of(int64_t source) const {
    if (order == Order::kStacked) return offset + source;
    return source / 8 * 16 + source % 8 + (order == Order::kUp ? 8 : 0);
  }
};

/// Some rows of a checkpoint's matrix. Plain values may go to kPlain (rounded to to.product_type,
/// in which what f16 has no room for becomes infinite) or be quantised, to kInt8 as Q8_0 does it or
/// to kInt4 as Q4_0; blocks of a quantised type go to weight_kind(dtype). Scales are rounded to
/// to.product_type; numbers quantised here are rounded after them.
struct PackTask {
  PackedMatrix to;
  DType dtype = DType::kF32;
  const std::byte* from = nullptr;  // on the device, 16-byte aligned, n_rows rows without gaps
  int64_t columns = 0;              // real ones
  int64_t first_row = 0;            // of the checkpoint's matrix: what `from` begins with
  int64_t n_rows = 0;
  RowPlace place;
};

/// Queues the packing. The planes must be zeros before the first task of a matrix (Stream::fill),
/// as rows and columns that no task brings must read as zeros. Synchronise the stream before a
/// product reads the matrix: products fetch weights ahead of what is queued before them. Fails
/// where dtype cannot become to.kind.
[[nodiscard]] Status pack(Stream& stream, const PackTask& task);

/// Rows [first_row, first_row + n_rows) in from.product_type, which has 16 bits, exactly as
/// products see them, padded columns included: `to` is (n_rows, stride), stride >= from.columns,
/// rows 16-byte aligned. first_row is a multiple of kRowTile.
struct UnpackTask {
  PackedMatrix from;
  int32_t first_row = 0;
  int32_t n_rows = 0;
  uint16_t* to = nullptr;
  int64_t stride = 0;
};
[[nodiscard]] Status unpack(Stream& stream, const UnpackTask& task);

}  // namespace forge::kernels::cuda
