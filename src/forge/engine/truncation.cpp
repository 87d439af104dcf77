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
  const double wanted = p * sum_of_weights(candidates);
  double sum = 0.0;
  // Real distributions reach p within a few tokens of a large vocabulary, so only as much of it is
  // sorted as is needed: 128 tokens, then eight times as many, and so on.
  size_t n_sorted = 0;
  for (size_t n_next = 128; n_sorted < candidates.size(); n_next *= 8) {
    const size_t end = std::min(n_next, candidates.size());
    const auto begin = candidates.begin() + static_cast<ptrdiff_t>(n_sorted);
    std::partial_sort(begin, candidates.begin() + static_cast<ptrdiff_t>(end), candidates.end(),
                      is_better);
    for (; n_sorted < end; ++n_sorted) {
      sum += candidates[n_sorted].weight;
      if (sum >= wanted) {
        candidates.resize(n_sorted + 1);
        return;
      }
    }
  }
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
    Candidate candidate;
    double distance;
  };
  std::vector<Typical> by_distance;
  by_distance.reserve(candidates.size());
  for (const Candidate& candidate : candidates) {
    const double surprisal = -std::log(candidate.weight / total);
    by_distance.push_back({candidate, std::abs(surprisal - entropy)});
  }
  std::sort(by_distance.begin(), by_distance.end(), [](const Typical& a, const Typical& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.candidate.id < b.candidate.id;
  });
  candidates.clear();
  double sum = 0.0;
  for (const Typical& entry : by_distance) {
    candidates.push_back(entry.candidate);
    sum += entry.candidate.weight;
    if (sum >= p * total) break;
  }
}

}  // namespace forge::engine
