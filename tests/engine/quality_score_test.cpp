// Trusts: closed forms of distributions written down here; Wilson's interval as in his paper.
#include "forge/engine/quality_score.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace forge::engine {
namespace {

std::vector<float> logits_of(const std::vector<double>& probabilities, double shift = 0.0) {
  std::vector<float> logits;
  for (const double p : probabilities) logits.push_back(static_cast<float>(std::log(p) + shift));
  return logits;
}

TEST(QualityScore, of_two_known_distributions) {
  // KL of (1/2, 1/4, 1/4) to (1/4, 1/2, 1/4): log(2)/2 - log(2)/4. Shifted logits are the same.
  QualityScore score;
  score.add(logits_of({0.5, 0.25, 0.25}, 3.0), logits_of({0.25, 0.5, 0.25}, -7.0), 0);
  const QualityNumbers numbers = score.numbers();
  EXPECT_EQ(numbers.n_tokens, 1);
  EXPECT_NEAR(numbers.mean_kl.value, std::log(2.0) / 4.0, 1e-6);
  EXPECT_NEAR(numbers.max_kl, std::log(2.0) / 4.0, 1e-6);
  EXPECT_NEAR(numbers.perplexity_a.value, 2.0, 1e-5);
  EXPECT_NEAR(numbers.perplexity_b.value, 4.0, 1e-5);
  EXPECT_NEAR(numbers.perplexity_ratio.value, 2.0, 1e-5);
  EXPECT_EQ(numbers.same_top.value, 0.0);
}

TEST(QualityScore, a_token_ruled_out_in_both_counts_for_nothing) {
  QualityScore score;
  std::vector<float> a = logits_of({0.5, 0.5});
  a.push_back(-INFINITY);
  score.add(a, a, 1);
  EXPECT_EQ(score.numbers().mean_kl.value, 0.0);
  EXPECT_EQ(score.numbers().same_top.value, 1.0);
}

// 100 positions, the i-th with KL log(2) * i / 100 and so on: built from two kinds of positions.
TEST(QualityScore, intervals_and_percentiles) {
  QualityScore score;
  const std::vector<float> a = logits_of({0.5, 0.5});
  const std::vector<float> same = a;
  const std::vector<float> far = logits_of({0.125, 0.875});
  const double kl = 0.5 * std::log(4.0) + 0.5 * std::log(0.5 / 0.875);
  for (int i = 0; i < 97; ++i) score.add(a, same, 0);
  for (int i = 0; i < 3; ++i) score.add(a, far, 0);  // the top is the second one
  const QualityNumbers numbers = score.numbers();
  const double mean = 0.03 * kl;
  EXPECT_NEAR(numbers.mean_kl.value, mean, 1e-7);
  const double deviation = std::sqrt((97 * mean * mean + 3 * (kl - mean) * (kl - mean)) / 99.0);
  EXPECT_NEAR(numbers.mean_kl.high - mean, 1.959964 * deviation / 10.0, 1e-7);
  EXPECT_EQ(numbers.mean_kl.low, std::max(0.0, 2 * mean - numbers.mean_kl.high));
  EXPECT_EQ(numbers.median_kl, 0.0);
  EXPECT_NEAR(numbers.p99_kl, kl, 1e-7);  // the 99th smallest of 100
  EXPECT_NEAR(numbers.max_kl, kl, 1e-7);
  // Wilson's interval of 97 in 100.
  EXPECT_NEAR(numbers.same_top.value, 0.97, 1e-12);
  EXPECT_NEAR(numbers.same_top.low, 0.915477, 1e-5);
  EXPECT_NEAR(numbers.same_top.high, 0.989745, 1e-5);
  // Log-likelihoods differ by log(4) at three positions.
  EXPECT_NEAR(numbers.perplexity_ratio.value, std::exp(0.03 * std::log(4.0)), 1e-6);
  EXPECT_LT(numbers.perplexity_ratio.low, numbers.perplexity_ratio.value);
}

}  // namespace
}  // namespace forge::engine
