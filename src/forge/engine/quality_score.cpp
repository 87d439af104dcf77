#include "forge/engine/quality_score.h"

#include <algorithm>
#include <cmath>

#include "forge/base/check.h"
#include "forge/engine/logprobs.h"

namespace forge::engine {
namespace {

constexpr double kZ = 1.959963984540054;  // 95 % of a normal distribution lie within

/// Mean of n values and half the width of its interval.
struct Mean {
  double value = 0.0;
  double margin = 0.0;
};

template <typename ValueAt>
Mean mean_of(size_t n, const ValueAt& value_at) {
  double sum = 0.0;
  for (size_t i = 0; i < n; ++i) sum += value_at(i);
  const double mean = sum / static_cast<double>(n);
  double squares = 0.0;
  for (size_t i = 0; i < n; ++i) squares += (value_at(i) - mean) * (value_at(i) - mean);
  if (n < 2) return {mean, INFINITY};
  const auto count = static_cast<double>(n);
  return {mean, kZ * std::sqrt(squares / (count - 1.0) / count)};
}

Interval exp_of(const Mean& mean) {
  return {std::exp(mean.value), std::exp(mean.value - mean.margin),
          std::exp(mean.value + mean.margin)};
}

Interval wilson(int64_t n_hits, int64_t n_all) {
  const auto n = static_cast<double>(n_all);
  const double share = static_cast<double>(n_hits) / n;
  const double denominator = 1.0 + kZ * kZ / n;
  const double centre = (share + kZ * kZ / (2.0 * n)) / denominator;
  const double margin =
      kZ / denominator * std::sqrt(share * (1.0 - share) / n + kZ * kZ / (4.0 * n * n));
  return {share, std::max(centre - margin, 0.0), std::min(centre + margin, 1.0)};
}

size_t top_of(std::span<const float> logits) {
  return static_cast<size_t>(std::ranges::max_element(logits) - logits.begin());
}

/// The smallest value that so large a share of all values does not exceed.
double quantile(std::span<const double> sorted, double share) {
  const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::max<size_t>(rank, 1) - 1];
}

}  // namespace

void QualityScore::add(std::span<const float> logits_a, std::span<const float> logits_b,
                       int32_t next) {
  FORGE_CHECK(logits_a.size() == logits_b.size(), "{} and {}", logits_a.size(), logits_b.size());
  const double norm_a = log_sum_exp(logits_a);
  const double norm_b = log_sum_exp(logits_b);
  double kl = 0.0;
  for (size_t i = 0; i < logits_a.size(); ++i) {
    const double a = static_cast<double>(logits_a[i]) - norm_a;
    const double p = std::exp(a);
    if (p > 0.0) kl += p * (a - (static_cast<double>(logits_b[i]) - norm_b));
  }
  // Rounding may leave something like -1e-17 where both are the same.
  kl_.push_back(std::max(kl, 0.0));
  const auto id = static_cast<size_t>(next);
  nll_a_.push_back(static_cast<float>(norm_a - static_cast<double>(logits_a[id])));
  nll_b_.push_back(static_cast<float>(norm_b - static_cast<double>(logits_b[id])));
  n_same_top_ += top_of(logits_a) == top_of(logits_b) ? 1 : 0;
}

QualityNumbers QualityScore::numbers() const {
  const size_t n = kl_.size();
  FORGE_CHECK(n > 0, "no positions");
  const auto nll_a = [this](size_t i) { return static_cast<double>(nll_a_[i]); };
  const auto nll_b = [this](size_t i) { return static_cast<double>(nll_b_[i]); };
  QualityNumbers numbers;
  numbers.n_tokens = n_tokens();
  const Mean kl = mean_of(n, [this](size_t i) { return kl_[i]; });
  numbers.mean_kl = {kl.value, std::max(kl.value - kl.margin, 0.0), kl.value + kl.margin};
  std::vector<double> sorted = kl_;
  std::ranges::sort(sorted);
  numbers.median_kl = quantile(sorted, 0.5);
  numbers.p99_kl = quantile(sorted, 0.99);
  numbers.max_kl = sorted.back();
  numbers.same_top = wilson(n_same_top_, n_tokens());
  numbers.perplexity_a = exp_of(mean_of(n, nll_a));
  numbers.perplexity_b = exp_of(mean_of(n, nll_b));
  numbers.perplexity_ratio = exp_of(mean_of(n, [&](size_t i) { return nll_b(i) - nll_a(i); }));
  return numbers;
}

}  // namespace forge::engine
