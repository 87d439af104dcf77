// Search for the scales and mins of a super-block: x[i] ~ d * scale(j) * code(i) - dmin * min(j).
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>

#include "tests/tensor/plain_encode/scale_search.h"

namespace forge::plain {

/// Finds 256 / kSubLen pairs of integers 0..kMaxScale, codes 0..kMaxCode and the two halves above
/// them with a small sum of squared errors:
///  1. each sub-block alone gets the line scale * code + base that least squares finds for the best
///  of
///     several code assignments, each from a slightly stretched or clipped range;
///  2. d and dmin are set so that the largest scale and base just fit; each sub-block takes the
///  best
///     integers next to its line; d and dmin are then refitted by least squares over all codes, and
///     this repeats while the error falls.
/// Mins are unsigned, so a base above zero needs a negative dmin; both signs are tried where values
/// ask for it. Step 1 follows ggml's make_qkx2_quants, without its weights; step 2 is ours.
template <int kSubLen, int kMaxCode, int kMaxScale>
class AffineSearch {
 public:
  static constexpr int kSubs = 256 / kSubLen;

  struct Fit {
    uint16_t d = 0;
    uint16_t dmin = 0;
    std::array<int, kSubs> scales{};
    std::array<int, kSubs> mins{};
    std::array<int, 256> codes{};
  };

  [[nodiscard]] static Fit fit(const float* values) {
    const NormalisedBlock block = normalise({values, 256});
    if (block.is_zero) return {};
    Candidate best = search(block, BaseSign::kBelowZero);
    // Only where a whole sub-block lies above zero can a positive base help.
    bool has_positive_sub = false;
    for (int j = 0; j < kSubs; ++j) {
      const float* y = block.values.data() + j * kSubLen;
      has_positive_sub = has_positive_sub || *std::min_element(y, y + kSubLen) > 0.0f;
    }
    if (has_positive_sub) {
      const Candidate other = search(block, BaseSign::kAboveZero);
      if (other.error < best.error) best = other;
    }
    return finish(block, best);
  }

 private:
  enum class BaseSign { kBelowZero, kAboveZero };

  struct Line {
    float scale = 0.0f;
    float base = 0.0f;
  };
  struct Candidate {
    StoredHalf d;
    StoredHalf dmin;
    std::array<int, kSubs> scales{};
    std::array<int, kSubs> mins{};
    double error = 0.0;
  };

  static float code_of(float v) { return rounded_into(v, 0.0f, static_cast<float>(kMaxCode)); }

  // Squared error of a sub-block whose codes are the best ones for this line.
  static float error_of(const float* y, float scale, float base) {
    const float inverse = safe_inverse(scale);
    return lane_sum<kSubLen>([&](int i) {
      const float e = y[i] - (scale * code_of((y[i] - base) * inverse) + base);
      return e * e;
    });
  }

  static float limited(float base, BaseSign sign) {
    return sign == BaseSign::kBelowZero ? std::min(base, 0.0f) : std::max(base, 0.0f);
  }

  // The least-squares line for the codes that (y - base) * inverse gives.
  static Line refit(const float* y, float base, float inverse, BaseSign sign) {
    float codes[kSubLen];
    float shifted[kSubLen];  // sums of y itself would cancel where the base is large
    for (int i = 0; i < kSubLen; ++i) {
      shifted[i] = y[i] - base;
      codes[i] = code_of(shifted[i] * inverse);
    }
    const float sum_q = lane_sum<kSubLen>([&](int i) { return codes[i]; });
    const float sum_qq = lane_sum<kSubLen>([&](int i) { return codes[i] * codes[i]; });
    const float sum_y = lane_sum<kSubLen>([&](int i) { return shifted[i]; });
    const float sum_yq = lane_sum<kSubLen>([&](int i) { return shifted[i] * codes[i]; });
    const float determinant = kSubLen * sum_qq - sum_q * sum_q;
    if (determinant <= 0.0f) return {0.0f, limited(base + sum_y / kSubLen, sign)};
    const float scale = (kSubLen * sum_yq - sum_y * sum_q) / determinant;
    const float new_base = base + (sum_y - scale * sum_q) / kSubLen;
    const float allowed = limited(new_base, sign);
    if (allowed == new_base) return {std::max(scale, 0.0f), new_base};
    return {std::max((sum_yq + base * sum_q) / sum_qq, 0.0f), allowed};
  }

  // Step 1 for one sub-block.
  static Line fit_line(const float* y, BaseSign sign) {
    const float low = limited(*std::min_element(y, y + kSubLen), sign);
    const float range = *std::max_element(y, y + kSubLen) - low;
    // Also true for constant values, which need no scale, and values below an allowed base of zero.
    if (range <= 1e-30f) return refit(y, low, 0.0f, sign);
    Line best{};
    float best_error = INFINITY;
    const auto consider = [&](const Line& line) {
      const float error = error_of(y, line.scale, line.base);
      if (error >= best_error) return false;
      best = line;
      best_error = error;
      return true;
    };
    consider({range / kMaxCode, low});
    for (const float stretch : kStretches) {
      consider(refit(y, low, (kMaxCode + stretch) / range, sign));
    }
    for (int round = 0; round < 4; ++round) {
      if (!consider(refit(y, best.base, safe_inverse(best.scale), sign))) break;
    }
    return best;
  }

  // Steps of the code range in codes. Below zero the range is stretched to pass its ends by half a
  // code, above it is clipped; few-bit codes gain from clipping up to a third of the range.
  static constexpr std::array<float, 16> kStretches{-0.8f, -0.6f, -0.4f, -0.2f, -0.1f, 0.0f,
                                                    0.1f,  0.2f,  0.3f,  0.4f,  0.5f,  0.6f,
                                                    0.7f,  0.8f,  0.9f,  1.0f};

  // Step 2: the best integers beside each line, under the given halves.
  static void choose_integers(const NormalisedBlock& block, const std::array<Line, kSubs>& lines,
                              Candidate& candidate) {
    const float d_inverse = safe_inverse(candidate.d.value);
    const float dmin_inverse = safe_inverse(candidate.dmin.value);
    candidate.error = 0.0;
    for (int j = 0; j < kSubs; ++j) {
      const float* y = block.values.data() + j * kSubLen;
      const int scale = integer_of(lines[j].scale * d_inverse);
      const int min = integer_of(-lines[j].base * dmin_inverse);
      float best_error = INFINITY;
      for (int s = std::max(0, scale - 1); s <= std::min(kMaxScale, scale + 1); ++s) {
        for (int m = std::max(0, min - 1); m <= std::min(kMaxScale, min + 1); ++m) {
          const float error = error_of(y, candidate.d.value * static_cast<float>(s),
                                       -(candidate.dmin.value * static_cast<float>(m)));
          if (error >= best_error) continue;
          best_error = error;
          candidate.scales[j] = s;
          candidate.mins[j] = m;
        }
      }
      candidate.error += static_cast<double>(best_error);
    }
  }

  static int integer_of(float v) {
    return static_cast<int>(rounded_into(v, 0.0f, static_cast<float>(kMaxScale)));
  }

  // d and dmin by least squares for fixed integers and codes; unchanged where they are
  // undetermined.
  static void refit_halves(const NormalisedBlock& block, Candidate& candidate) {
    double aa = 0.0, ab = 0.0, bb = 0.0, ya = 0.0, yb = 0.0;
    for (int j = 0; j < kSubs; ++j) {
      const float scale = candidate.d.value * static_cast<float>(candidate.scales[j]);
      const float base = -(candidate.dmin.value * static_cast<float>(candidate.mins[j]));
      const float inverse = safe_inverse(scale);
      const double b = -candidate.mins[j];
      for (int i = j * kSubLen; i < (j + 1) * kSubLen; ++i) {
        const float y = block.values[i];
        const double a = candidate.scales[j] * static_cast<double>(code_of((y - base) * inverse));
        aa += a * a;
        ab += a * b;
        bb += b * b;
        ya += static_cast<double>(y) * a;
        yb += static_cast<double>(y) * b;
      }
    }
    const double determinant = aa * bb - ab * ab;
    if (determinant > 1e-9 * aa * bb) {
      candidate.d = store_half((ya * bb - yb * ab) / determinant, block.exponent);
      candidate.dmin = store_half((yb * aa - ya * ab) / determinant, block.exponent);
    } else if (aa > 0.0 && bb == 0.0) {
      candidate.d = store_half(ya / aa, block.exponent);
    } else if (bb > 0.0 && aa == 0.0) {
      candidate.dmin = store_half(yb / bb, block.exponent);
    }
  }

  static Candidate search(const NormalisedBlock& block, BaseSign sign) {
    std::array<Line, kSubs> lines;
    float max_scale = 0.0f;
    float max_base = 0.0f;  // the base of largest magnitude, with its sign
    for (int j = 0; j < kSubs; ++j) {
      lines[j] = fit_line(block.values.data() + j * kSubLen, sign);
      max_scale = std::max(max_scale, lines[j].scale);
      if (std::fabs(lines[j].base) > std::fabs(max_base)) max_base = lines[j].base;
    }
    Candidate best;
    best.d = store_half(static_cast<double>(max_scale) / kMaxScale, block.exponent);
    best.dmin = store_half(-static_cast<double>(max_base) / kMaxScale, block.exponent);
    choose_integers(block, lines, best);
    for (int round = 0; round < 4; ++round) {
      Candidate next = best;
      refit_halves(block, next);
      choose_integers(block, lines, next);
      if (next.error >= best.error) break;
      best = next;
    }
    return best;
  }

  static Fit finish(const NormalisedBlock& block, const Candidate& candidate) {
    Fit fit{.d = candidate.d.bits,
            .dmin = candidate.dmin.bits,
            .scales = candidate.scales,
            .mins = candidate.mins};
    for (int j = 0; j < kSubs; ++j) {
      const float scale = candidate.d.value * static_cast<float>(candidate.scales[j]);
      const float base = -(candidate.dmin.value * static_cast<float>(candidate.mins[j]));
      const float inverse = safe_inverse(scale);
      for (int i = j * kSubLen; i < (j + 1) * kSubLen; ++i) {
        fit.codes[i] = static_cast<int>(code_of((block.values[i] - base) * inverse));
      }
    }
    return fit;
  }
};

}  // namespace forge::plain
