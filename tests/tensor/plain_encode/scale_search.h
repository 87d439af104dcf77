// What the scale searches of the quantisers share: a block brought to magnitude one, halves of its
// scales, and rounding that vectorises.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace forge::plain {

/// Up to 256 values times 2^-exponent, so that the largest magnitude lies in [1, 2): sums of
/// squares neither overflow nor vanish, and since the factor is a power of two, errors measured
/// here are those of the decoded block.
struct NormalisedBlock {
  std::array<float, 256> values;
  int exponent = 0;
  bool is_zero = true;  // all values are +-0; the rest of the struct is unset
};

/// Values must be finite; a block with others counts as zero.
[[nodiscard]] NormalisedBlock normalise(std::span<const float> values);

/// A scale as the block stores it, and what that is worth in the normalised block.
struct StoredHalf {
  uint16_t bits = 0;
  float value = 0.0f;
};

/// The half nearest to scale * 2^exponent; beyond 65504 that, and for anything but zero at least
/// the smallest subnormal, since the integer scales below it can still choose zero.
[[nodiscard]] StoredHalf store_half(double scale, int exponent);

/// Nearest integer (ties to even) within [low, high]; |low|, |high| < 2^22. Not-a-number gives low.
[[nodiscard]] inline float rounded_into(float v, float low, float high) {
  constexpr float kMagic = 12582912.0f;  // 1.5 * 2^23: adding it leaves no fraction bits
  const float above = low < v ? v : low;
  const float inside = above < high ? above : high;
  return (inside + kMagic) - kMagic;
}

/// 1 / scale, or 0 where the scale is too small to matter beside values of magnitude one.
[[nodiscard]] inline float safe_inverse(float scale) {
  return scale > 1e-30f || scale < -1e-30f ? 1.0f / scale : 0.0f;
}

/// Sums in eight interleaved lanes: the same order on every machine, and one the compiler can
/// vectorise without reordering. kLen is a multiple of 8; term(i) is a float.
template <int kLen, typename Term>
[[nodiscard]] float lane_sum(Term&& term) {
  static_assert(kLen % 8 == 0);
  float lanes[8] = {};
  for (int i = 0; i < kLen; i += 8) {
    for (int k = 0; k < 8; ++k) lanes[k] += term(i + k);
  }
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
         ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

}  // namespace forge::plain
