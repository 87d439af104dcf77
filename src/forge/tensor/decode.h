// Scalar decoding of every storage type: the truth that all kernels are tested against.
#pragma once

#include <cstddef>
#include <cstdint>

#include "forge/tensor/dtype.h"
#include "forge/tensor/view.h"

namespace forge {

/// Writes the f32 values of n consecutive elements (n a multiple of the type's block_len).
/// Bit-identical to ggml's dequantize_row_* reference for every type. data may have any alignment.
void decode(DType dtype, const std::byte* data, int64_t n, float* out);

/// Row r of a matrix as f32; out holds view.columns() values.
inline void decode_row(const TensorView& view, int64_t r, float* out) {
  decode(view.dtype, view.row(r), view.columns(), out);
}

}  // namespace forge
