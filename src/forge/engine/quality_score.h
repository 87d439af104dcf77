// How far one model's predictions are from another's: the arithmetic, over logits.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace forge::engine {

/// A number measured on a sample, and where the true one lies with 95 % confidence if the tokens
/// were independent of each other. (Those of a text are not quite: take intervals for the least.)
struct Interval {
  double value = 0.0;
  double low = 0.0;
  double high = 0.0;
};

/// Logarithms are natural. A is the reference, B what is compared with it.
struct QualityNumbers {
  int64_t n_tokens = 0;  // scored
  /// Kullback-Leibler divergence of A's next-token distribution to B's, sum p_A log(p_A / p_B).
  Interval mean_kl;
  double median_kl = 0.0;
  double p99_kl = 0.0;  // 99 of 100 tokens have no more
  double max_kl = 0.0;
  Interval same_top;  // share of tokens where both choose the same; Wilson's interval
  Interval perplexity_a;
  Interval perplexity_b;
  Interval perplexity_ratio;  // B's over A's; paired, so narrower than the two above suggest
};

/// Collects one position after another; 16 bytes each are kept. Sums in double, in order. Source
/// of Wilson's interval: Wilson 1927, J. Am. Stat. Assoc. 22, 209-212.
class QualityScore {
 public:
  /// Logits (vocab_size) of both models for the token that next is, finite or -infinity. The first
  /// of equal largest logits is the top.
  void add(std::span<const float> logits_a, std::span<const float> logits_b, int32_t next);

  [[nodiscard]] int64_t n_tokens() const { return static_cast<int64_t>(kl_.size()); }
  /// At least one position has been added.
  [[nodiscard]] QualityNumbers numbers() const;

 private:
  std::vector<double> kl_;
  std::vector<float> nll_a_;  // negative log-likelihood of the token that came
  std::vector<float> nll_b_;
  int64_t n_same_top_ = 0;
};

}  // namespace forge::engine
