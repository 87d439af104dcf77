#include "forge/engine/truncation.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "forge/engine/weight_cut.h"

namespace forge::engine {
namespace {

bool is_better(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

double sum_of_weights(const Candidates& candidates) {
  double total = 0.0;
  for (const Candidate& candidate : candidates) total += static_cast<double>(candidate.weight);
  return total;
}

/// Keeps the candidates of the least rank until their weights reach wanted in sum; all of them
/// where they never do.
template <typename Rank>
void keep_until(double wanted, Rank rank, Candidates& candidates) {
  static thread_local std::vector<RankedToken> tokens;  // scratch: a step allocates nothing
  tokens.clear();
  for (const Candidate& c : candidates) tokens.push_back({rank(c), c.id, c.weight});
  const RankedToken last = find_weight_cut(wanted, tokens);
  std::erase_if(candidates, [&](const Candidate& c) {
    return RankedToken{rank(c), c.id, c.weight}.is_worse_than(last);
  });
}

void keep_most_probable(double wanted, Candidates& candidates) {
  keep_until(
      wanted, [](const Candidate& c) { return -static_cast<double>(c.logit); }, candidates);
}

double distance_from(double mean_log2, const Candidate& candidate) {
  return std::abs(static_cast<double>(candidate.log2_weight) - mean_log2);
}

void keep_nearest(double wanted, double mean_log2, Candidates& candidates) {
  keep_until(
      wanted, [=](const Candidate& c) { return distance_from(mean_log2, c); }, candidates);
}

}  // namespace

void keep_top_k(int32_t k, Candidates& candidates) {
  if (static_cast<size_t>(k) >= candidates.size()) return;
  static thread_local Candidates order;  // scratch, likewise
  order = candidates;
  const auto last = order.begin() + (k - 1);
  std::nth_element(order.begin(), last, order.end(), is_better);
  std::erase_if(candidates, [&](const Candidate& c) { return is_better(*last, c); });
}

void keep_top_p(double p, Candidates& candidates) {
  keep_most_probable(p * sum_of_weights(candidates), candidates);
}

void keep_min_p(double min_p, Candidates& candidates) {
  double max = 0.0;
  for (const Candidate& candidate : candidates) {
    max = std::max(max, static_cast<double>(candidate.weight));
  }
  std::erase_if(candidates, [threshold = min_p * max](const Candidate& candidate) {
    return static_cast<double>(candidate.weight) < threshold;
  });
}

void keep_typical(double p, Candidates& candidates) {
  // Surprisal is log2(total) - log2(weight) and entropy is its mean, so the distance of the two is
  // that of log2(weight) from its own mean.
  double total = 0.0;
  double weighted_log2 = 0.0;
  for (const Candidate& candidate : candidates) {
    const auto weight = static_cast<double>(candidate.weight);
    total += weight;
    weighted_log2 += weight * static_cast<double>(candidate.log2_weight);
  }
  keep_nearest(p * total, weighted_log2 / total, candidates);
}

bool try_keep_weight(double wanted, Candidates& candidates) {
  if (sum_of_weights(candidates) < wanted) return false;
  keep_most_probable(wanted, candidates);
  return true;
}

bool try_keep_nearest(double wanted, double mean_log2, double reach, Candidates& candidates) {
  Candidates near = candidates;
  std::erase_if(near, [&](const Candidate& candidate) {
    return !(distance_from(mean_log2, candidate) <= reach);
  });
  if (near.empty() || sum_of_weights(near) < wanted) return false;
  keep_nearest(wanted, mean_log2, near);
  candidates.swap(near);
  return true;
}

}  // namespace forge::engine
