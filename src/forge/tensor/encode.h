// Quantisation: f32 values to blocks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "forge/tensor/dtype.h"

namespace forge {

/// Whether encode() writes this type (F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K,
/// Q8_K).
[[nodiscard]] bool can_encode(DType dtype);

/// Writes n values (a multiple of block_len) as blocks. Deterministic. Values must be finite.
/// Search-free types are byte-identical to ggml's quantize_row_*_ref; K-quants search for scales and
/// are no worse than ggml's in squared error.
void encode(DType dtype, const float* values, int64_t n, std::byte* out);

}  // namespace forge
