// Search for the scales and mins of super-blocks: x[i] ~ d * scale(j) * code(i) - dmin * min(j).
#pragma once

#include "forge/tensor/level/lane_blocks.h"

namespace forge::FORGE_TENSOR_LEVEL {

/// Finds 256 / kSubLen pairs of integers 0..kMaxScale, codes 0..kMaxCode and the two halves above
/// them with a small sum of squared errors:
///  1. each sub-block alone gets the line scale * code + base that least squares finds for the best
///     of several code assignments, each from a slightly stretched or clipped range;
///  2. d and dmin are set so that the largest scale and base just fit; each sub-block takes the
///  best
///     integers next to its line; d and dmin are then refitted by least squares over all codes, and
///     this repeats while the error falls.
/// Mins are unsigned, so a base above zero needs a negative dmin; both signs are tried where values
/// ask for it. Step 1 follows ggml's make_qkx2_quants, without its weights; step 2 is ours. The
/// same for one block, as plain loops: tests/tensor/plain_encode.
template <int kSubLen, int kMaxCode, int kMaxScale>
class AffineSearch {
 public:
  static constexpr int kSubs = 256 / kSubLen;
  using Blocks = LaneBlocks<256>;

  /// What a lane's block gets. Scales, mins and codes are integers.
  struct Fit {
    LaneHalves d;
    LaneHalves dmin;
    Doubles error;
    Lanes scales[kSubs] = {};
    Lanes mins[kSubs] = {};
  };

  static void fit(const Blocks& blocks, Fit& best) {
    search(blocks, BaseSign::kBelowZero, best);
    // Only where a whole sub-block lies above zero can a positive base help.
    Ints has_positive_sub{};
    for (int j = 0; j < kSubs; ++j) has_positive_sub |= lowest(blocks, j) > Lanes{};
    if (!any(has_positive_sub)) return;
    Fit other;
    search(blocks, BaseSign::kAboveZero, other);
    take(has_positive_sub & is_less(other.error, best.error), other, best);
  }

  /// The codes of sub-block j.
  static void codes(const Blocks& blocks, const Fit& fit, int j, Lanes* out) {
    const Line line = stored_line(fit, j);
    const Lanes inverse = safe_inverse(line.scale);
    for (int i = 0; i < kSubLen; ++i) {
      out[i] = code_of((blocks[j * kSubLen + i] - line.base) * inverse);
    }
  }

  template <typename BlockFit>
  static void put_lane(const Fit& fit, int l, BlockFit& to) {
    to.d = static_cast<uint16_t>(fit.d.bits[l]);
    to.dmin = static_cast<uint16_t>(fit.dmin.bits[l]);
    for (int j = 0; j < kSubs; ++j) {
      to.scales[j] = static_cast<int>(fit.scales[j][l]);
      to.mins[j] = static_cast<int>(fit.mins[j][l]);
    }
  }

 private:
  enum class BaseSign { kBelowZero, kAboveZero };

  struct Line {
    Lanes scale{};
    Lanes base{};
  };
  struct Sums {
    Lanes q, qq, yq;
    FORGE_LANES_INLINE Sums operator+(const Sums& o) const {
      return {q + o.q, qq + o.qq, yq + o.yq};
    }
  };
  /// A sub-block less a base: sums of y itself would cancel where the base is large.
  struct Shifted {
    Lanes y[kSubLen];
    Lanes base;
    Lanes sum;
    FORGE_LANES_INLINE Shifted(const Blocks& blocks, int j, Lanes from) : base(from) {
      for (int i = 0; i < kSubLen; ++i) y[i] = blocks[j * kSubLen + i] - from;
      sum = part_sum<kSubLen>([&](int i) __attribute__((always_inline)) { return y[i]; });
    }
  };

  FORGE_LANES_INLINE static Lanes code_of(Lanes v) { return rounded_into(v, 0.0f, kMaxCode); }

  FORGE_LANES_INLINE static Lanes limited(Lanes base, BaseSign sign) {
    return sign == BaseSign::kBelowZero ? min(base, Lanes{}) : max(base, Lanes{});
  }

  static Lanes lowest(const Blocks& blocks, int j) {
    Lanes low = blocks[j * kSubLen];
    for (int i = 1; i < kSubLen; ++i) low = min(low, blocks[j * kSubLen + i]);
    return low;
  }
  static Lanes highest(const Blocks& blocks, int j) {
    Lanes high = blocks[j * kSubLen];
    for (int i = 1; i < kSubLen; ++i) high = max(high, blocks[j * kSubLen + i]);
    return high;
  }

  /// Squared error of a sub-block whose codes are the best ones for this line.
  FORGE_LANES_INLINE static Lanes error_of(const Blocks& blocks, int j, const Line& line) {
    const Lanes inverse = safe_inverse(line.scale);
    return part_sum<kSubLen>([&](int i) __attribute__((always_inline)) {
      const Lanes y = blocks[j * kSubLen + i];
      const Lanes e = y - (line.scale * code_of((y - line.base) * inverse) + line.base);
      return e * e;
    });
  }

  /// The least-squares line for the codes that shifted.y * inverse gives.
  FORGE_LANES_INLINE static Line refit(const Shifted& shifted, Lanes inverse, BaseSign sign) {
    const Sums sums = part_sum<kSubLen>([&](int i) __attribute__((always_inline)) {
      const Lanes q = code_of(shifted.y[i] * inverse);
      return Sums{q, q * q, shifted.y[i] * q};
    });
    constexpr float kLen = kSubLen;
    const Lanes determinant = kLen * sums.qq - sums.q * sums.q;
    const Lanes scale = (kLen * sums.yq - shifted.sum * sums.q) / determinant;
    const Lanes base = shifted.base + (shifted.sum - scale * sums.q) / kLen;
    const Lanes allowed = limited(base, sign);
    const Lanes limited_scale = (sums.yq + shifted.base * sums.q) / sums.qq;
    const Lanes sloped = max(allowed == base ? scale : limited_scale, Lanes{});
    const Ints is_flat = determinant <= Lanes{};  // one code for all
    return {is_flat ? Lanes{} : sloped,
            is_flat ? limited(shifted.base + shifted.sum / kLen, sign) : allowed};
  }

  /// Step 1 for one sub-block.
  static Line fit_line(const Blocks& blocks, int j, BaseSign sign) {
    const Lanes low = limited(lowest(blocks, j), sign);
    const Lanes range = highest(blocks, j) - low;
    const Shifted shifted(blocks, j, low);
    Line best{range / static_cast<float>(kMaxCode), low};
    Lanes best_error = error_of(blocks, j, best);
    const auto consider = [&](const Line& line, Ints among) __attribute__((always_inline)) {
      const Lanes error = error_of(blocks, j, line);
      const Ints is_better = among & (error < best_error);
      best.scale = is_better ? line.scale : best.scale;
      best.base = is_better ? line.base : best.base;
      best_error = is_better ? error : best_error;
      return is_better;
    };
    const Ints all = ~Ints{};
    for (const float stretch : kStretches) {
      consider(refit(shifted, (kMaxCode + stretch) / range, sign), all);
    }
    Ints active = all;
    for (int round = 0; round < 4 && any(active); ++round) {
      const Shifted from_best(blocks, j, best.base);
      active = consider(refit(from_best, safe_inverse(best.scale), sign), active);
    }
    // Constant values, which need no scale, and values below an allowed base of zero.
    const Ints is_flat = range <= set1(1e-30f);
    const Line flat = refit(shifted, Lanes{}, sign);
    return {is_flat ? flat.scale : best.scale, is_flat ? flat.base : best.base};
  }

  // Steps of the code range in codes. Below zero the range is stretched to pass its ends by half a
  // code, above it is clipped; few-bit codes gain from clipping up to a third of the range.
  static constexpr float kStretches[] = {-0.8f, -0.6f, -0.4f, -0.2f, -0.1f, 0.0f, 0.1f, 0.2f,
                                         0.3f,  0.4f,  0.5f,  0.6f,  0.7f,  0.8f, 0.9f, 1.0f};

  FORGE_LANES_INLINE static Line stored_line(const Fit& fit, int j) {
    return {fit.d.value * fit.scales[j], -(fit.dmin.value * fit.mins[j])};
  }

  /// Step 2: the best integers beside each line, under the given halves.
  static void choose_integers(const Blocks& blocks, const Line* lines, Fit& fit) {
    const Lanes d_inverse = safe_inverse(fit.d.value);
    const Lanes dmin_inverse = safe_inverse(fit.dmin.value);
    fit.error = {};
    for (int j = 0; j < kSubs; ++j) {
      const Lanes scale = rounded_into(lines[j].scale * d_inverse, 0.0f, kMaxScale);
      const Lanes min_near = rounded_into(-lines[j].base * dmin_inverse, 0.0f, kMaxScale);
      Lanes best_error = set1(__builtin_inff());
      for (int ds = -1; ds <= 1; ++ds) {
        const Lanes s = scale + static_cast<float>(ds);
        for (int dm = -1; dm <= 1; ++dm) {
          const Lanes m = min_near + static_cast<float>(dm);
          const Ints is_allowed =
              (s >= Lanes{}) & (s <= set1(kMaxScale)) & (m >= Lanes{}) & (m <= set1(kMaxScale));
          const Lanes error = error_of(blocks, j, {fit.d.value * s, -(fit.dmin.value * m)});
          const Ints is_better = is_allowed & (error < best_error);
          best_error = is_better ? error : best_error;
          fit.scales[j] = is_better ? s : fit.scales[j];
          fit.mins[j] = is_better ? m : fit.mins[j];
        }
      }
      fit.error = fit.error + to_doubles(best_error);
    }
  }

  /// d and dmin by least squares for fixed integers and codes; unchanged where they are
  /// undetermined.
  static void refit_halves(const Blocks& blocks, Fit& fit) {
    // Sums of integers are exact in any order. Those with y are not: one after the other.
    Doubles aa, ab, bb, ya, yb;
    for (int j = 0; j < kSubs; ++j) {
      Lanes q[kSubLen];
      codes(blocks, fit, j, q);
      Lanes sum_q{};
      Lanes sum_qq{};
      const Doubles b = to_doubles(-fit.mins[j]);
      for (int i = 0; i < kSubLen; ++i) {
        sum_q += q[i];
        sum_qq += q[i] * q[i];
        const Doubles y = to_doubles(blocks[j * kSubLen + i]);
        ya = ya + y * to_doubles(fit.scales[j] * q[i]);
        yb = yb + y * b;
      }
      const Doubles s = to_doubles(fit.scales[j]);
      aa = aa + s * s * to_doubles(sum_qq);
      ab = ab + s * b * to_doubles(sum_q);
      bb = bb + b * b * to_doubles(set1(kSubLen));
    }
    for (int l = 0; l < kLanes; ++l) {
      set_halves({lane(aa, l), lane(ab, l), lane(bb, l), lane(ya, l), lane(yb, l)}, l,
                 blocks.exponents[l], fit);
    }
  }

  struct Moments {
    double aa, ab, bb, ya, yb;
  };
  static void set_halves(const Moments& m, int l, int exponent, Fit& fit) {
    const double determinant = m.aa * m.bb - m.ab * m.ab;
    if (determinant > 1e-9 * m.aa * m.bb) {
      set_half(fit.d, l, (m.ya * m.bb - m.yb * m.ab) / determinant, exponent);
      set_half(fit.dmin, l, (m.yb * m.aa - m.ya * m.ab) / determinant, exponent);
    } else if (m.aa > 0.0 && m.bb == 0.0) {
      set_half(fit.d, l, m.ya / m.aa, exponent);
    } else if (m.bb > 0.0 && m.aa == 0.0) {
      set_half(fit.dmin, l, m.yb / m.bb, exponent);
    }
  }

  static void take(Ints mask, const Fit& from, Fit& to) {
    to.d = choose(mask, from.d, to.d);
    to.dmin = choose(mask, from.dmin, to.dmin);
    to.error = choose(mask, from.error, to.error);
    for (int j = 0; j < kSubs; ++j) {
      to.scales[j] = mask ? from.scales[j] : to.scales[j];
      to.mins[j] = mask ? from.mins[j] : to.mins[j];
    }
  }

  static void search(const Blocks& blocks, BaseSign sign, Fit& best) {
    Line lines[kSubs];
    Lanes max_scale{};
    Lanes max_base{};  // the base of largest magnitude, with its sign
    for (int j = 0; j < kSubs; ++j) {
      lines[j] = fit_line(blocks, j, sign);
      max_scale = max(max_scale, lines[j].scale);
      max_base = abs(lines[j].base) > abs(max_base) ? lines[j].base : max_base;
    }
    for (int l = 0; l < kLanes; ++l) {
      const int exponent = blocks.exponents[l];
      set_half(best.d, l, static_cast<double>(max_scale[l]) / kMaxScale, exponent);
      set_half(best.dmin, l, -static_cast<double>(max_base[l]) / kMaxScale, exponent);
    }
    choose_integers(blocks, lines, best);
    Ints active = ~Ints{};
    Fit next = best;
    for (int round = 0; round < 4; ++round) {
      refit_halves(blocks, next);
      choose_integers(blocks, lines, next);
      active &= is_less(next.error, best.error);
      if (!any(active)) break;
      take(active, next, best);
    }
  }
};

}  // namespace forge::FORGE_TENSOR_LEVEL
