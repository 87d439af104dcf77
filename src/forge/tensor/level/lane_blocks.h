// A block per lane: what the scale searches work on.
#pragma once

#include "forge/tensor/block_scale.h"
#include "forge/tensor/level/lanes.h"

namespace forge::FORGE_TENSOR_LEVEL {

/// Element i of block l is values[i * kLanes + l] times 2^-exponents[l], so that each block's
/// largest magnitude lies in [1, 2): sums of squares neither overflow nor vanish, and since the
/// factor is a power of two, errors measured here are those of the decoded block.
template <int kCount>
struct LaneBlocks {
  alignas(64) float values[kCount * kLanes];
  int exponents[kLanes];
  bool is_zero[kLanes];  // all values are +-0, or one is not finite; zeros in values

  /// n <= kLanes blocks side by side; lanes past them are zero blocks.
  LaneBlocks(const float* blocks, int n) {
    for (int l = 0; l < kLanes; ++l) {
      const BlockScale scale = l < n ? scale_of(peak_bits(blocks + l * kCount)) : BlockScale{};
      exponents[l] = scale.exponent;
      is_zero[l] = scale.is_zero;
      if (scale.is_zero) {
        for (int i = 0; i < kCount; ++i) values[i * kLanes + l] = 0.0f;
        continue;
      }
      const float* from = blocks + l * kCount;
      for (int i = 0; i < kCount; ++i) {
        values[i * kLanes + l] = from[i] * scale.first * scale.second;
      }
    }
  }

  /// Magnitudes are in the order of their bits, infinity and NaN above all numbers.
  static int32_t peak_bits(const float* block) {
    int32_t peak = 0;
    for (int i = 0; i < kCount; ++i) {
      const int32_t magnitude = __builtin_bit_cast(int32_t, block[i]) & 0x7FFFFFFF;
      peak = magnitude > peak ? magnitude : peak;
    }
    return peak;
  }

  FORGE_LANES_INLINE Lanes operator[](int i) const { return load(values + i * kLanes); }
};

/// A scale as each block stores it, and what that is worth in the normalised block.
struct LaneHalves {
  Ints bits{};
  Lanes value{};
};

/// Those nearest to scale, as store_half() has it.
FORGE_LANES_INLINE void set_half(LaneHalves& halves, int l, double scale, int exponent) {
  const StoredHalf half = store_half(scale, exponent);
  halves.bits[l] = half.bits;
  halves.value[l] = half.value;
}

FORGE_LANES_INLINE LaneHalves choose(Ints mask, const LaneHalves& a, const LaneHalves& b) {
  return {mask ? a.bits : b.bits, mask ? a.value : b.value};
}
FORGE_LANES_INLINE Doubles choose(Ints mask, const Doubles& a, const Doubles& b) {
  Doubles chosen = b;
  for (int l = 0; l < kLanes / 2; ++l) {
    if (mask[l] != 0) chosen.low[l] = a.low[l];
    if (mask[l + kLanes / 2] != 0) chosen.high[l] = a.high[l];
  }
  return chosen;
}

}  // namespace forge::FORGE_TENSOR_LEVEL
