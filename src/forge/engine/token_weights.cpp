#include "forge/engine/token_weights.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "forge/engine/lanes.h"

namespace forge::engine {
namespace {

// W lanes at a time. Each of the 16 places of a panel has a sum of its own whatever W is, and no
// operation is fused, so every W gives the same bits.
template <int W, Sums kSums>
[[gnu::always_inline]] inline BlockSum sum_block(const PanelLogits& logits,
                                                 const WeightScale& scale, int32_t begin,
                                                 int32_t end) {
  using namespace detail;
  using V = Lanes<W>;
  constexpr int kParts = kPanelLen / W;
  const float* const maxima = logits.maxima().data();
  V weight_sums[kParts] = {};
  V entropy_sums[kParts] = {};
  for (int32_t p = begin; p < end; ++p) {
    if (!((maxima[p] - scale.max) * scale.per_logit >= kMinLog2Weight)) continue;
    const float* const panel = logits.panel(p);
    for (int i = 0; i < kParts; ++i) {
      V logit;
      __builtin_memcpy(&logit, panel + i * W, sizeof(logit));
      const V y = (logit - scale.max) * scale.per_logit;
      const V rounded = y + kRounder;
      const V f = y - (rounded - kRounder);
      V power = f * kExp2[4] + kExp2[3];
      power = power * f + kExp2[2];
      power = power * f + kExp2[1];
      power = power * f + kExp2[0];
      power = power * f + 1.0f;
      // Bits that mean nothing where y is below the cut, and chosen away then.
      const V scaled = reinterpret_cast<V>(reinterpret_cast<LaneMask<W>>(power) +
                                           (reinterpret_cast<LaneMask<W>>(rounded) << 23));
      const V weight = y >= kMinLog2Weight ? scaled : V{};
      weight_sums[i] += weight;
      if constexpr (kSums == Sums::kWeightAndEntropy) {
        entropy_sums[i] += y >= kMinLog2Weight ? weight * y : V{};
      }
    }
  }
  BlockSum sum;
  for (int i = 0; i < kPanelLen; ++i) {
    sum.weight += static_cast<double>(weight_sums[i / W][i % W]);
    if constexpr (kSums == Sums::kWeightAndEntropy) {
      sum.weighted_log2 += static_cast<double>(entropy_sums[i / W][i % W]);
    }
  }
  return sum;
}

template <int W>
[[gnu::always_inline]] inline void sum_blocks(const PanelLogits& logits, const WeightScale& scale,
                                              Sums sums, std::vector<BlockSum>& blocks) {
  for (size_t b = 0; b < blocks.size(); ++b) {
    const auto begin = static_cast<int32_t>(b * kBlockPanels);
    const int32_t end = std::min(begin + kBlockPanels, logits.n_panels());
    blocks[b] = sums == Sums::kWeight
                    ? sum_block<W, Sums::kWeight>(logits, scale, begin, end)
                    : sum_block<W, Sums::kWeightAndEntropy>(logits, scale, begin, end);
  }
}

#if defined(__x86_64__)
[[gnu::target("avx512f")]] void sum_blocks_avx512(const PanelLogits& logits,
                                                  const WeightScale& scale, Sums sums,
                                                  std::vector<BlockSum>& blocks) {
  sum_blocks<16>(logits, scale, sums, blocks);
}

[[gnu::target("avx2")]] void sum_blocks_avx2(const PanelLogits& logits, const WeightScale& scale,
                                             Sums sums, std::vector<BlockSum>& blocks) {
  sum_blocks<8>(logits, scale, sums, blocks);
}
#endif

}  // namespace

WeightScale::WeightScale(float largest_logit, double temperature)
    : max(largest_logit),
      per_logit(static_cast<float>(
          std::min(1.4426950408889634 / temperature, double{std::numeric_limits<float>::max()}))) {}

float WeightScale::logit_at(double y) const {
  // The slack covers the rounding of y, 2^-22 of it; a division by zero gives -infinity.
  const double logit = static_cast<double>(max) + (y - 1e-5 * std::abs(y)) / per_logit;
  return std::nextafter(
      static_cast<float>(std::max(logit, -double{std::numeric_limits<float>::max()})),
      -std::numeric_limits<float>::infinity());
}

void weigh_panels(const PanelLogits& logits, const WeightScale& scale, Sums sums,
                  std::vector<BlockSum>& blocks, [[maybe_unused]] int max_lanes) {
  blocks.resize(static_cast<size_t>((logits.n_panels() + kBlockPanels - 1) / kBlockPanels));
#if defined(__x86_64__)
  if (max_lanes >= 16 && __builtin_cpu_supports("avx512f")) {
    return sum_blocks_avx512(logits, scale, sums, blocks);
  }
  if (max_lanes >= 8 && __builtin_cpu_supports("avx2")) {
    return sum_blocks_avx2(logits, scale, sums, blocks);
  }
#endif
  sum_blocks<4>(logits, scale, sums, blocks);
}

}  // namespace forge::engine
