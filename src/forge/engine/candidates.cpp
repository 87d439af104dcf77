#include "forge/engine/candidates.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <span>

#include "forge/engine/lanes.h"

namespace forge::engine {
namespace {

constexpr double kAll = std::numeric_limits<double>::infinity();

BlockSum total_of(const std::vector<BlockSum>& blocks) {
  BlockSum total;
  for (const BlockSum& block : blocks) {
    total.weight += block.weight;
    total.weighted_log2 += block.weighted_log2;
  }
  return total;
}

/// The k-th largest of the maxima of stretches of panels: as many tokens have at least that
/// logit. -infinity where there are fewer than k stretches.
float kth_maximum(int32_t k, const PanelLogits& logits, size_t stretch) {
  const std::span<const float> maxima = logits.maxima();
  static thread_local std::vector<float> largest;  // scratch: a step allocates nothing
  largest.clear();
  for (size_t begin = 0; begin < maxima.size(); begin += stretch) {
    const auto part = maxima.subspan(begin, std::min(stretch, maxima.size() - begin));
    largest.push_back(max_of(part));
  }
  if (static_cast<size_t>(k) > largest.size()) return -std::numeric_limits<float>::infinity();
  std::nth_element(largest.begin(), largest.begin() + (k - 1), largest.end(), std::greater<>());
  return largest[static_cast<size_t>(k - 1)];
}

}  // namespace

void collect(const PanelLogits& logits, float least_logit, const WeightScale& scale,
             Candidates& candidates) {
  // Maxima that are looked at before the panels they lead to: enough for the memory reads of some
  // ten panels to overlap.
  constexpr size_t kStep = 256;
  const float least = std::max(least_logit, std::numeric_limits<float>::lowest());
  const std::span<const float> maxima = logits.maxima();
  candidates.clear();
  std::array<int32_t, kStep> panels;
  for (size_t begin = 0; begin < maxima.size(); begin += kStep) {
    const size_t end = std::min(begin + kStep, maxima.size());
    size_t n_panels = 0;
    for (size_t first = begin; first < end; first += 16) {
      // Most sixteens of maxima have none that is large enough.
      const size_t last = std::min(first + 16, end);
      int n_large = 0;
      for (size_t p = first; p < last; ++p) n_large += maxima[p] >= least ? 1 : 0;
      for (size_t p = first; n_large > 0 && p < last; ++p) {
        if (maxima[p] >= least) panels[n_panels++] = static_cast<int32_t>(p);
      }
    }
    for (size_t i = 0; i < n_panels; ++i) __builtin_prefetch(logits.panel(panels[i]));
    for (size_t i = 0; i < n_panels; ++i) {
      const float* const panel = logits.panel(panels[i]);
      for (int j = 0; j < kPanelLen; ++j) {
        if (panel[j] < least) continue;
        const TokenWeight weight = weight_of(panel[j], scale);
        candidates.push_back({panels[i] * kPanelLen + j, panel[j], weight.weight, weight.log2});
      }
    }
  }
}

void collect_top_k(int32_t k, const PanelLogits& logits, const WeightScale& scale,
                   Candidates& candidates) {
  // Fewer and longer stretches are faster to choose from; with a k below half of their number they
  // leave at most 1.4 k candidates, where logits are in random order.
  size_t stretch = 64;
  while (stretch > 1 && static_cast<size_t>(k) > logits.maxima().size() / stretch / 2) stretch /= 4;
  collect(logits, kth_maximum(k, logits, stretch), scale, candidates);
  keep_top_k(k, candidates);
}

void collect_top_p(double p, const PanelLogits& logits, const WeightScale& scale,
                   std::vector<BlockSum>& blocks, Candidates& candidates) {
  weigh_panels(logits, scale, Sums::kWeight, blocks);
  const double wanted = p * total_of(blocks).weight;
  // Bits below the most probable token. Language models mostly get there with the first.
  for (const double bits : {6.0, 12.0, 24.0, 41.0}) {
    collect(logits, scale.logit_at(-bits), scale, candidates);
    if (try_keep_weight(wanted, candidates)) return;
  }
  // Rounding can leave the sum of all weights a little short of their total: all stay.
}

void collect_min_p(double min_p, const PanelLogits& logits, const WeightScale& scale,
                   Candidates& candidates) {
  collect(logits, scale.logit_at(std::max(std::log2(min_p), double{kMinLog2Weight})), scale,
          candidates);
  keep_min_p(min_p, candidates);
}

void collect_typical(double p, const PanelLogits& logits, const WeightScale& scale,
                     std::vector<BlockSum>& blocks, Candidates& candidates) {
  weigh_panels(logits, scale, Sums::kWeightAndEntropy, blocks);
  const BlockSum total = total_of(blocks);
  const double mean_log2 = total.weighted_log2 / total.weight;
  for (const double reach : {1.0, 4.0, 16.0, kAll}) {  // bits to either side
    const double y = std::max(mean_log2 - reach, double{kMinLog2Weight});
    collect(logits, scale.logit_at(y - 0.01), scale, candidates);
    // What is in reach has been collected, and whatever has not is further from the mean.
    if (try_keep_nearest(p * total.weight, mean_log2, reach, candidates)) return;
  }
}

}  // namespace forge::engine
