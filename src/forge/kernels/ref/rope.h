// Reference: rotation of one head.
#pragma once

#include <cstdint>
#include <span>

#include "forge/kernels/rope.h"

namespace forge::kernels::ref {

/// Heads up to this size; bounds the buffers on the stack. The largest published head is 256.
inline constexpr int32_t kMaxHeadDim = 1024;

void rope_angles(int32_t position, std::span<const float> inv_freq, float scale, float* cosines,
                 float* sines);

/// head: (head_dim), in place.   cosines, sines: (half).
void rope_head(float* head, RopePairs pairs, const float* cosines, const float* sines,
               int64_t half);

}  // namespace forge::kernels::ref
