#include "forge/engine/truncation.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace forge::engine {
namespace {

bool is_better(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

double sum_of_weights(const Candidates& candidates) {
  double total = 0.0;
  for (const Candidate& candidate : candidates) total += candidate.weight;
  return total;
}

/// Keeps the best entries until their weights reach wanted in sum. Real distributions get there
/// within a few tokens of a large vocabulary, so only as much of it is sorted as is needed: 128
/// entries, then eight times as many, and so on.
template <typename Entry, typename Better>
void keep_until(double wanted, Better better, std::vector<Entry>& entries) {
  double sum = 0.0;
  size_t n_sorted = 0;
  for (size_t n_next = 128; n_sorted < entries.size(); n_next *= 8) {
    const size_t end = std::min(n_next, entries.size());
    std::partial_sort(entries.begin() + static_cast<ptrdiff_t>(n_sorted),
                      entries.begin() + static_cast<ptrdiff_t>(end), entries.end(), better);
    for (; n_sorted < end; ++n_sorted) {
      sum += entries[n_sorted].weight;
      if (sum >= wanted) {
        entries.resize(n_sorted + 1);
        return;
      }
    }
  }
}

}  // namespace

void keep_top_k(int32_t k, Candidates& candidates) {
  const auto n = static_cast<size_t>(k);
  if (n >= candidates.size()) return;
  std::nth_element(candidates.begin(), candidates.begin() + k, candidates.end(), is_better);
  candidates.resize(n);
}

void compute_weights(Candidates& candidates) {
  double max = candidates.front().logit;
  for (const Candidate& candidate : candidates) max = std::max(max, candidate.logit);
  for (Candidate& candidate : candidates) candidate.weight = std::exp(candidate.logit - max);
}

void keep_top_p(double p, Candidates& candidates) {
  keep_until(p * sum_of_weights(candidates), is_better, candidates);
}

void keep_min_p(double min_p, Candidates& candidates) {
  double max = 0.0;
  for (const Candidate& candidate : candidates) max = std::max(max, candidate.weight);
  std::erase_if(candidates, [threshold = min_p * max](const Candidate& candidate) {
    return candidate.weight < threshold;
  });
}

void keep_typical(double p, Candidates& candidates) {
  const double total = sum_of_weights(candidates);
  double entropy = 0.0;  // nats
  for (const Candidate& candidate : candidates) {
    const double probability = candidate.weight / total;
    if (probability > 0.0) entropy -= probability * std::log(probability);
  }
  struct Typical {
    int32_t id;
    double logit;
    double weight;
    double distance;
  };
  std::vector<Typical> entries;
  entries.reserve(candidates.size());
  for (const Candidate& candidate : candidates) {
    const double surprisal = -std::log(candidate.weight / total);
    entries.push_back(
        {candidate.id, candidate.logit, candidate.weight, std::abs(surprisal - entropy)});
  }
  keep_until(
      p * total,
      [](const Typical& a, const Typical& b) {
        return a.distance != b.distance ? a.distance < b.distance : a.id < b.id;
      },
      entries);
  candidates.clear();
  for (const Typical& entry : entries) {
    candidates.push_back({entry.id, entry.logit, entry.weight});
  }
}

}  // namespace forge::engine
