#include "forge/engine/logprobs.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace forge::engine {

double log_sum_exp(std::span<const float> logits) {
  const double max = *std::max_element(logits.begin(), logits.end());
  double sum = 0.0;
  for (const float logit : logits) sum += std::exp(logit - max);
  return max + std::log(sum);
}

PositionLogprobs logprobs_of(std::span<const float> logits, int32_t chosen, int32_t n) {
  const double normalizer = log_sum_exp(logits);
  const auto of = [&](int32_t id) {
    return TokenLogprob{id, static_cast<double>(logits[static_cast<size_t>(id)]) - normalizer};
  };
  PositionLogprobs result{of(chosen), {}};
  if (n <= 0) return result;
  std::vector<int32_t> ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0);
  const size_t count = std::min(static_cast<size_t>(n), ids.size());
  std::partial_sort(ids.begin(), ids.begin() + static_cast<ptrdiff_t>(count), ids.end(),
                    [&](int32_t a, int32_t b) {
                      const float x = logits[static_cast<size_t>(a)];
                      const float y = logits[static_cast<size_t>(b)];
                      return x != y ? x > y : a < b;
                    });
  for (size_t i = 0; i < count; ++i) result.top.push_back(of(ids[i]));
  return result;
}

}  // namespace forge::engine
