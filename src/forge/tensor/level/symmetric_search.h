// Search for the scales of blocks whose codes stand for fixed values: x[i] ~ d * scale(j) *
// value(code(i)).
#pragma once

#include "forge/tensor/level/lane_blocks.h"

namespace forge::FORGE_TENSOR_LEVEL {

/// Codes for the integers kLow..kHigh: code c has value kLow + c.
template <int kLow, int kHigh>
struct IntegerCodes {
  static constexpr float kLowest = kLow;
  static constexpr float kHighest = kHigh;
  FORGE_LANES_INLINE static Lanes nearest_value(Lanes v) {
    return rounded_into(v, kLowest, kHighest);
  }
  FORGE_LANES_INLINE static Lanes code_of(Lanes v) { return nearest_value(v) - kLowest; }
};

/// Finds integers kMinScale..kMaxScale for each sub-block of kSubLen elements, codes, and the half
/// above them with a small sum of squared errors, in the manner of AffineSearch: least squares per
/// sub-block over several stretches of its range to either end of the codes, then d and the
/// integers together. Codes is a type like IntegerCodes; kCount elements in all. The same for one
/// block, as plain loops: tests/tensor/plain_encode.
template <typename Codes, int kCount, int kSubLen, int kMinScale, int kMaxScale>
class SymmetricSearch {
 public:
  static constexpr int kSubs = kCount / kSubLen;
  using Blocks = LaneBlocks<kCount>;

  struct Fit {
    LaneHalves d;
    Doubles error;
    Lanes scales[kSubs] = {};
  };

  static void fit(const Blocks& blocks, Fit& best) {
    search(blocks, best);
    // Values far below the smallest half are better off as zeros (value(code) need not contain 0).
    const Lanes near_zero_error = part_sum<kCount>([&](int i) { return blocks[i] * blocks[i]; });
    if (!any(is_less(to_doubles(0.99f * near_zero_error), best.error))) return;
    Doubles zero_error;
    for (int i = 0; i < kCount; ++i) {
      const Doubles y = to_doubles(blocks[i]);
      zero_error = zero_error + y * y;
    }
    const Ints is_worse = is_less(zero_error, best.error);
    best.d = choose(is_worse, LaneHalves{}, best.d);
  }

  /// The codes of sub-block j.
  static void codes(const Blocks& blocks, const Fit& fit, int j, Lanes* out) {
    const Lanes inverse = safe_inverse(fit.d.value * fit.scales[j]);
    for (int i = 0; i < kSubLen; ++i) out[i] = Codes::code_of(blocks[j * kSubLen + i] * inverse);
  }

  template <typename BlockFit>
  static void put_lane(const Fit& fit, int l, BlockFit& to) {
    to.d = static_cast<uint16_t>(fit.d.bits[l]);
    for (int j = 0; j < kSubs; ++j) to.scales[j] = static_cast<int>(fit.scales[j][l]);
  }

 private:
  /// The same of kMany candidates, which hide each other's latency.
  template <int kMany>
  struct Many {
    Lanes of[kMany];
    FORGE_LANES_INLINE Many operator+(const Many& o) const {
      Many sum;
      for (int c = 0; c < kMany; ++c) sum.of[c] = of[c] + o.of[c];
      return sum;
    }
  };
  template <int kMany>
  struct Sums {
    Many<kMany> qq, yq;
    FORGE_LANES_INLINE Sums operator+(const Sums& o) const { return {qq + o.qq, yq + o.yq}; }
  };

  /// Squared errors of a sub-block whose codes are the best ones for each scale.
  template <int kMany>
  FORGE_LANES_INLINE static Many<kMany> errors_of(const Blocks& blocks, int j,
                                                  const Many<kMany>& scale) {
    Many<kMany> inverse;
    for (int c = 0; c < kMany; ++c) inverse.of[c] = safe_inverse(scale.of[c]);
    return part_sum<kSubLen>([&](int i) __attribute__((always_inline)) {
      const Lanes y = blocks[j * kSubLen + i];
      Many<kMany> squares;
      for (int c = 0; c < kMany; ++c) {
        const Lanes e = y - scale.of[c] * Codes::nearest_value(y * inverse.of[c]);
        squares.of[c] = e * e;
      }
      return squares;
    });
  }

  /// The least-squares scales for the codes that y * inverse gives.
  template <int kMany>
  FORGE_LANES_INLINE static Many<kMany> refit(const Blocks& blocks, int j,
                                              const Many<kMany>& inverse) {
    const auto sums = part_sum<kSubLen>([&](int i) __attribute__((always_inline)) {
      const Lanes y = blocks[j * kSubLen + i];
      Sums<kMany> terms;
      for (int c = 0; c < kMany; ++c) {
        const Lanes q = Codes::nearest_value(y * inverse.of[c]);
        terms.qq.of[c] = q * q;
        terms.yq.of[c] = y * q;
      }
      return terms;
    });
    Many<kMany> scale;
    for (int c = 0; c < kMany; ++c) {
      scale.of[c] = sums.qq.of[c] > Lanes{} ? sums.yq.of[c] / sums.qq.of[c] : Lanes{};
    }
    return scale;
  }

  static Lanes fit_scale(const Blocks& blocks, int j) {
    Lanes peak = blocks[j * kSubLen];  // the first of equal magnitudes
    for (int i = 1; i < kSubLen; ++i) {
      const Lanes y = blocks[j * kSubLen + i];
      peak = abs(y) > abs(peak) ? y : peak;
    }
    // The peak sits at either end of the codes, up to a tenth beyond it (clipped) or a code inside.
    Best low;
    Best high;
    for (const float stretch : kStretches) {
      const Many<2> inverse{set1(Codes::kLowest * stretch) / peak,
                            set1(Codes::kHighest * stretch) / peak};
      const Many<2> scale = refit(blocks, j, inverse);
      const Many<2> error = errors_of(blocks, j, scale);
      low.consider(scale.of[0], error.of[0], ~Ints{});
      high.consider(scale.of[1], error.of[1], ~Ints{});
    }
    Best best = low;
    Ints active = ~Ints{};
    best.consider(high.scale, high.error, active);
    for (int round = 0; round < 4 && any(active); ++round) {
      const Many<1> scale = refit(blocks, j, Many<1>{safe_inverse(best.scale)});
      active = best.consider(scale.of[0], errors_of(blocks, j, scale).of[0], active);
    }
    return abs(peak) <= set1(1e-30f) ? Lanes{} : best.scale;
  }

  /// The first of the scales with the least error.
  struct Best {
    Lanes scale{};
    Lanes error = set1(__builtin_inff());
    /// Only in lanes of among; where it was better.
    FORGE_LANES_INLINE Ints consider(Lanes new_scale, Lanes new_error, Ints among) {
      const Ints is_better = among & (new_error < error);
      scale = is_better ? new_scale : scale;
      error = is_better ? new_error : error;
      return is_better;
    }
  };

  static constexpr float kStretches[] = {0.88f, 0.92f, 0.95f, 0.98f, 1.0f,
                                         1.02f, 1.06f, 1.11f, 1.17f};

  static void choose_integers(const Blocks& blocks, const Lanes* scales, Fit& fit) {
    const Lanes d_inverse = safe_inverse(fit.d.value);
    fit.error = {};
    for (int j = 0; j < kSubs; ++j) {
      const Lanes nearest = rounded_into(scales[j] * d_inverse, kMinScale, kMaxScale);
      // Where there is one integer only, as in IQ4_NL, its neighbours are not allowed.
      const Many<3> integer{nearest - 1.0f, nearest, nearest + 1.0f};
      const Many<3> scale{fit.d.value * integer.of[0], fit.d.value * integer.of[1],
                          fit.d.value * integer.of[2]};
      const Many<3> error = errors_of(blocks, j, scale);
      Best best{.scale = fit.scales[j]};
      for (int c = 0; c < 3; ++c) {
        best.consider(integer.of[c], error.of[c],
                      (integer.of[c] >= set1(kMinScale)) & (integer.of[c] <= set1(kMaxScale)));
      }
      fit.scales[j] = best.scale;
      fit.error = fit.error + to_doubles(best.error);
    }
  }

  /// d by least squares for fixed integers and codes; unchanged where all products are zero.
  static void refit_half(const Blocks& blocks, Fit& fit) {
    Doubles aa;  // of integers, so exact in any order
    Doubles ya;
    for (int j = 0; j < kSubs; ++j) {
      const Lanes inverse = safe_inverse(fit.d.value * fit.scales[j]);
      Lanes sum_qq{};
      for (int i = j * kSubLen; i < (j + 1) * kSubLen; ++i) {
        const Lanes q = Codes::nearest_value(blocks[i] * inverse);
        sum_qq += q * q;
        ya = ya + to_doubles(blocks[i]) * to_doubles(fit.scales[j] * q);
      }
      const Doubles s = to_doubles(fit.scales[j]);
      aa = aa + s * s * to_doubles(sum_qq);
    }
    for (int l = 0; l < kLanes; ++l) {
      if (lane(aa, l) > 0.0) set_half(fit.d, l, lane(ya, l) / lane(aa, l), blocks.exponents[l]);
    }
  }

  static void take(Ints mask, const Fit& from, Fit& to) {
    to.d = choose(mask, from.d, to.d);
    to.error = choose(mask, from.error, to.error);
    for (int j = 0; j < kSubs; ++j) to.scales[j] = mask ? from.scales[j] : to.scales[j];
  }

  static void search(const Blocks& blocks, Fit& best) {
    Lanes scales[kSubs];
    Lanes largest{};  // of largest magnitude, with its sign
    for (int j = 0; j < kSubs; ++j) {
      scales[j] = fit_scale(blocks, j);
      largest = abs(scales[j]) > abs(largest) ? scales[j] : largest;
    }
    best.error = to_doubles(set1(__builtin_inff()));
    // The largest scale may be the lowest or the highest integer; from there, least squares.
    constexpr int kIntegers[] = {kMinScale, kMaxScale};
    for (const int integer : kIntegers) {
      Fit next;
      for (int l = 0; l < kLanes; ++l) {
        set_half(next.d, l, static_cast<double>(largest[l]) / integer, blocks.exponents[l]);
      }
      choose_integers(blocks, scales, next);
      Ints active = is_less(next.error, best.error);
      for (int round = 0; any(active); ++round) {
        take(active, next, best);
        if (round == 3) break;
        refit_half(blocks, next);
        choose_integers(blocks, scales, next);
        active &= is_less(next.error, best.error);
      }
      if constexpr (kMinScale == kMaxScale) break;
    }
  }
};

}  // namespace forge::FORGE_TENSOR_LEVEL
