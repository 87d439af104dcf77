// From logits to weights, numbers proportional to the probabilities.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "forge/engine/panel_logits.h"

namespace forge::engine {

/// weight = exp((logit - max) / temperature), in single precision and the same bits on every
/// machine: y = (logit - max) * per_logit; 2^y for y >= -40 and 0 below.
///
/// The most probable token has weight 1. The relative error is below 2e-7 * (1 + |y|). What the cut
/// leaves out is less than 2^-40 for each token, 2e-7 of the whole for a vocabulary of 200,000.
struct WeightScale {
  float max = 0.0f;        // the largest logit, finite
  float per_logit = 0.0f;  // log2(e) / temperature, at most the largest float

  WeightScale(float largest_logit, double temperature);

  /// A logit such that every token with log2(weight) >= y has at least it (so it is a little low).
  [[nodiscard]] float logit_at(double y) const;
};

/// No weight's logarithm to base 2 is below, except of weight 0.
inline constexpr float kMinLog2Weight = -40.0f;

namespace detail {
// 1.5 * 2^23: adding it rounds a small float to an integer, found in its low bits.
inline constexpr float kRounder = 12582912.0f;
// 2^f on [-0.5, 0.5], 1 at 0: minimax of the relative error, 9.2e-8 with exact arithmetic.
inline constexpr float kExp2[5] = {0x1.62e42ap-1f, 0x1.ebf9bcp-3f, 0x1.c6b752p-5f, 0x1.3cea88p-7f,
                                   0x1.5bba14p-10f};
}  // namespace detail

struct TokenWeight {
  float weight = 0.0f;
  float log2 = 0.0f;  // y; not below -1000
};

/// One token's weight, with the very operations of weigh_panels().
[[nodiscard]] inline TokenWeight weight_of(float logit, const WeightScale& scale) {
  using namespace detail;
  const float y = (logit - scale.max) * scale.per_logit;
  // Not-a-number too: -infinity times 0.
  if (!(y >= kMinLog2Weight)) return {0.0f, y > -1000.0f ? y : -1000.0f};
  const float rounded = y + kRounder;
  const float f = y - (rounded - kRounder);
  float power = kExp2[4];
  for (int i = 3; i >= 0; --i) power = power * f + kExp2[i];
  power = power * f + 1.0f;
  return {std::bit_cast<float>(std::bit_cast<uint32_t>(power) +
                               (std::bit_cast<uint32_t>(rounded) << 23)),
          y};
}

/// A block is 64 panels, 1024 tokens. Within a block sums are single precision, 16 of them side by
/// side (one per place in a panel), added up in double precision: relative error below 4e-6, in
/// practice below 1e-6.
inline constexpr int kBlockPanels = 64;

struct BlockSum {
  double weight = 0.0;
  double weighted_log2 = 0.0;  // sum of weight * log2(weight), where it was wanted
};

enum class Sums { kWeight, kWeightAndEntropy };

/// The sums of every block, in order. Panels whose weights are all 0 are passed over by their
/// maximum. Uses as many lanes (4, 8 or 16) as the machine has and max_lanes allows, which changes
/// no bit of a sum.
void weigh_panels(const PanelLogits& logits, const WeightScale& scale, Sums sums,
                  std::vector<BlockSum>& blocks, int max_lanes = 16);

}  // namespace forge::engine
