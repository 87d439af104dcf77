// What the scale searches of the quantisers share: a block's power of two, and halves of its
// scales.
#pragma once

#include <cstdint>

namespace forge {

/// The power of two that brings a block's largest magnitude into [1, 2) as two factors, because
/// 2^149 alone does not fit an f32: value * first * second.
struct BlockScale {
  int exponent = 0;
  bool is_zero = true;  // all values are +-0; the rest is unset
  float first = 0.0f;
  float second = 0.0f;
};

/// peak_bits: of the largest magnitude. Values must be finite; a block with others counts as zero.
[[nodiscard]] BlockScale scale_of(int32_t peak_bits);

/// A scale as the block stores it, and what that is worth in the normalised block.
struct StoredHalf {
  uint16_t bits = 0;
  float value = 0.0f;
};

/// The half nearest to scale * 2^exponent; beyond 65504 that, and for anything but zero at least
/// the smallest subnormal, since the integer scales below it can still choose zero.
[[nodiscard]] StoredHalf store_half(double scale, int exponent);

}  // namespace forge
