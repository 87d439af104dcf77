// Search for the scales of a block whose codes stand for fixed values: x[i] ~ d * scale(j) *
// value(code(i)).
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>

#include "tests/tensor/plain_encode/scale_search.h"

namespace forge::plain {

/// Codes for the integers kLow..kHigh: code c has value kLow + c.
template <int kLow, int kHigh>
struct IntegerCodes {
  static constexpr float kLowest = kLow;
  static constexpr float kHighest = kHigh;
  static float nearest_value(float v) { return rounded_into(v, kLowest, kHighest); }
  static int code_of(float v) { return static_cast<int>(nearest_value(v)) - kLow; }
};

/// Finds integers kMinScale..kMaxScale for each sub-block of kSubLen elements, codes, and the half
/// above them with a small sum of squared errors, in the manner of AffineSearch: least squares per
/// sub-block over several stretches of its range to either end of the codes, then d and the
/// integers together. Codes is a type like IntegerCodes; kCount elements in all.
template <typename Codes, int kCount, int kSubLen, int kMinScale, int kMaxScale>
class SymmetricSearch {
 public:
  static constexpr int kSubs = kCount / kSubLen;

  struct Fit {
    uint16_t d = 0;
    std::array<int, kSubs> scales{};
    std::array<int, kCount> codes{};
  };

  [[nodiscard]] static Fit fit(const float* values) {
    const NormalisedBlock block = normalise({values, kCount});
    Fit fit;
    if (block.is_zero) {
      fit.codes.fill(Codes::code_of(0.0f));
      return fit;
    }
    Candidate best = search(block);
    // Values far below the smallest half are better off as zeros (value(code) need not contain 0).
    const double zero_error = [&] {
      double sum = 0.0;
      for (int i = 0; i < kCount; ++i)
        sum += static_cast<double>(block.values[i]) * block.values[i];
      return sum;
    }();
    if (!(best.error <= zero_error)) best.d = {};
    fit.d = best.d.bits;
    fit.scales = best.scales;
    for (int i = 0; i < kCount; ++i) {
      const float scale = best.d.value * static_cast<float>(best.scales[i / kSubLen]);
      fit.codes[i] = Codes::code_of(block.values[i] * safe_inverse(scale));
    }
    return fit;
  }

 private:
  struct Candidate {
    StoredHalf d;
    std::array<int, kSubs> scales{};
    double error = 0.0;
  };

  // Squared error of a sub-block whose codes are the best ones for this scale.
  static float error_of(const float* y, float scale) {
    const float inverse = safe_inverse(scale);
    return lane_sum<kSubLen>([&](int i) {
      const float e = y[i] - scale * Codes::nearest_value(y[i] * inverse);
      return e * e;
    });
  }

  // The least-squares scale for the codes that y * inverse gives.
  static float refit(const float* y, float inverse) {
    float q[kSubLen];
    for (int i = 0; i < kSubLen; ++i) q[i] = Codes::nearest_value(y[i] * inverse);
    const float sum_qq = lane_sum<kSubLen>([&](int i) { return q[i] * q[i]; });
    const float sum_yq = lane_sum<kSubLen>([&](int i) { return y[i] * q[i]; });
    return sum_qq > 0.0f ? sum_yq / sum_qq : 0.0f;
  }

  static float fit_scale(const float* y) {
    const float peak = *std::max_element(
        y, y + kSubLen, [](float a, float b) { return std::fabs(a) < std::fabs(b); });
    if (std::fabs(peak) <= 1e-30f) return 0.0f;
    float best = 0.0f;
    float best_error = INFINITY;
    const auto consider = [&](float scale) {
      const float error = error_of(y, scale);
      if (error >= best_error) return false;
      best = scale;
      best_error = error;
      return true;
    };
    // The peak sits at either end of the codes, up to a tenth beyond it (clipped) or a code inside.
    for (const float end : {Codes::kLowest, Codes::kHighest}) {
      for (const float stretch : kStretches) consider(refit(y, end * stretch / peak));
    }
    for (int round = 0; round < 4; ++round) {
      if (!consider(refit(y, safe_inverse(best)))) break;
    }
    return best;
  }

  static constexpr std::array<float, 9> kStretches{0.88f, 0.92f, 0.95f, 0.98f, 1.0f,
                                                   1.02f, 1.06f, 1.11f, 1.17f};

  static void choose_integers(const NormalisedBlock& block, const std::array<float, kSubs>& scales,
                              Candidate& candidate) {
    const float d_inverse = safe_inverse(candidate.d.value);
    candidate.error = 0.0;
    for (int j = 0; j < kSubs; ++j) {
      const float* y = block.values.data() + j * kSubLen;
      const int nearest = static_cast<int>(rounded_into(
          scales[j] * d_inverse, static_cast<float>(kMinScale), static_cast<float>(kMaxScale)));
      float best_error = INFINITY;
      for (int s = std::max(kMinScale, nearest - 1); s <= std::min(kMaxScale, nearest + 1); ++s) {
        const float error = error_of(y, candidate.d.value * static_cast<float>(s));
        if (error >= best_error) continue;
        best_error = error;
        candidate.scales[j] = s;
      }
      candidate.error += static_cast<double>(best_error);
    }
  }

  // d by least squares for fixed integers and codes; unchanged where all products are zero.
  static void refit_half(const NormalisedBlock& block, Candidate& candidate) {
    double aa = 0.0;
    double ya = 0.0;
    for (int i = 0; i < kCount; ++i) {
      const int integer = candidate.scales[i / kSubLen];
      const float inverse = safe_inverse(candidate.d.value * static_cast<float>(integer));
      const double a =
          integer * static_cast<double>(Codes::nearest_value(block.values[i] * inverse));
      aa += a * a;
      ya += static_cast<double>(block.values[i]) * a;
    }
    if (aa > 0.0) candidate.d = store_half(ya / aa, block.exponent);
  }

  static Candidate search(const NormalisedBlock& block) {
    std::array<float, kSubs> scales;
    float largest = 0.0f;  // of largest magnitude, with its sign
    for (int j = 0; j < kSubs; ++j) {
      scales[j] = fit_scale(block.values.data() + j * kSubLen);
      if (std::fabs(scales[j]) > std::fabs(largest)) largest = scales[j];
    }
    Candidate best;
    best.error = INFINITY;
    // The largest scale may be the lowest or the highest integer; from there, least squares.
    for (const int integer : {kMinScale, kMaxScale}) {
      Candidate next;
      next.d = store_half(static_cast<double>(largest) / integer, block.exponent);
      choose_integers(block, scales, next);
      for (int round = 0; round < 4 && next.error < best.error; ++round) {
        best = next;
        refit_half(block, next);
        choose_integers(block, scales, next);
      }
      if constexpr (kMinScale == kMaxScale) break;
    }
    return best;
  }
};

}  // namespace forge::plain
