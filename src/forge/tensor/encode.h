// Quantisation: f32 values to blocks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "forge/tensor/dtype.h"

namespace forge {

/// Whether encode() writes this type: every DType.
[[nodiscard]] bool can_encode(DType dtype);

/// Writes n values (a multiple of block_len) as blocks; out may have any alignment. Deterministic.
///
/// Values must be finite. (Others give blocks of unspecified content in the quantised types,
/// nothing worse; F32, F16 and BF16 keep them.) Values too large for a type's scale saturate; F16
/// rounds to infinity beyond 65504 as IEEE 754 does.
///
/// F16, BF16 (nearest, ties to even), Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q8_K: byte-identical to ggml's
/// quantize_row_*_ref where that is defined: its scale neither overflows the block's scale field
/// nor has an infinite reciprocal. Q2_K to Q6_K, IQ4_NL, IQ4_XS, MXFP4: the scales that least
/// squares and a local search find for the plain sum of squared errors; no importance weights.
void encode(DType dtype, const float* values, int64_t n, std::byte* out);

}  // namespace forge
