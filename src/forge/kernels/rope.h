// Rotary position embedding.
#pragma once

#include <cstdint>
#include <span>

#include "forge/kernels/context.h"
#include "forge/tensor/view.h"

namespace forge::kernels {

/// Which dimensions of a head form a pair in the input: (i, i + rotary_dim / 2) or (2i, 2i + 1).
enum class RopePairs { kHalves, kAdjacent };

/// cos and sin of position * inv_freq[i], times scale. The angle is an f32 product, as PyTorch has
/// it.
///
/// inv_freq: (rotary_dim / 2).   cosines, sines: one row of (rotary_dim / 2).
void rope_angles(int32_t position, std::span<const float> inv_freq, float scale, float* cosines,
                 float* sines);

/// Rotates every head of each row by that row's angles. The output always holds a pair as (i, i +
/// rotary_dim / 2), so that q and k of both kinds of checkpoint end up in one order and the same
/// bits; dimensions beyond rotary_dim stay as they are.
///
/// x: (n_tokens, n_heads * head_dim), in place.   cosines, sines: (n_tokens, rotary_dim / 2).
/// Source: Su et al. 2021, arXiv:2104.09864.
void rope(const ActivationView& x, int32_t head_dim, RopePairs pairs, const ActivationView& cosines,
          const ActivationView& sines, const Context& context);

}  // namespace forge::kernels
