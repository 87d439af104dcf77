// Reference: closed forms of the log-softmax.
#include "forge/engine/logprobs.h"

#include <gtest/gtest.h>

#include <cmath>

namespace forge::engine {
namespace {

TEST(Logprobs, AreTheLogSoftmaxOfTheLogits) {
  const std::vector<float> logits = {0.0f, static_cast<float>(std::log(2.0)), 0.0f};
  const PositionLogprobs result = logprobs_of(logits, 2, 2);
  EXPECT_EQ(result.chosen.id, 2);
  EXPECT_NEAR(result.chosen.logprob, std::log(0.25), 1e-7);  // the logit itself is rounded to float
  ASSERT_EQ(result.top.size(), 2u);
  EXPECT_EQ(result.top[0].id, 1);
  EXPECT_NEAR(result.top[0].logprob, std::log(0.5), 1e-7);
  EXPECT_EQ(result.top[1].id, 0);  // equal to token 2: the lower id first
}

TEST(Logprobs, LargeLogitsDoNotOverflow) {
  EXPECT_NEAR(log_sum_exp(std::vector<float>{3e38f, 3e38f}), 3e38, 1e31);
  EXPECT_NEAR(log_sum_exp(std::vector<float>{1000.0f, 1000.0f}), 1000.0 + std::log(2.0), 1e-12);
  const PositionLogprobs result = logprobs_of(std::vector<float>{0.0f, -INFINITY}, 1, 5);
  EXPECT_EQ(result.chosen.logprob, -INFINITY);
  EXPECT_EQ(result.top.size(), 2u);  // no more than there are
}

TEST(Logprobs, ProbabilitiesSumToOne) {
  std::vector<float> logits;
  for (int i = 0; i < 5000; ++i) logits.push_back(static_cast<float>(std::sin(i) * 8));
  const PositionLogprobs result = logprobs_of(logits, 0, 5000);
  double sum = 0.0;
  for (const TokenLogprob& entry : result.top) sum += std::exp(entry.logprob);
  EXPECT_NEAR(sum, 1.0, 1e-12);
}

}  // namespace
}  // namespace forge::engine
