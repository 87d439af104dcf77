// Trusts: closed forms, worked out in the comments.
#include "forge/server/client/load_summary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

namespace forge::server::client {
namespace {

CallRecord done(double start, std::vector<double> times, double end,
                std::optional<TokenUsage> usage = {}) {
  CallRecord record;
  record.start = start;
  record.content_times = std::move(times);
  record.end = end;
  record.usage = usage;
  return record;
}

CallRecord failed(double start, double end, std::string kind, std::string message) {
  CallRecord record = done(start, {}, end);
  record.error = CallError{std::move(kind), std::move(message)};
  return record;
}

TEST(Quantile, OfEvenlySpacedSamplesIsTheLine) {
  // 0, 1, ..., n-1: the p-quantile of type 7 is p (n - 1).
  for (const size_t n : {1u, 2u, 3u, 100u, 101u, 1000u}) {
    std::vector<double> samples(n);
    std::iota(samples.begin(), samples.end(), 0.0);
    for (const double p : {0.0, 0.25, 0.5, 0.9, 0.99, 1.0}) {
      EXPECT_NEAR(quantile(samples, p), p * static_cast<double>(n - 1), 1e-9) << n << ", " << p;
    }
  }
}

TEST(Quantile, InterpolatesBetweenNeighbours) {
  // numpy.quantile([1, 2, 4, 8], q): position 3 q.
  const std::vector<double> samples = {1, 2, 4, 8};
  EXPECT_DOUBLE_EQ(quantile(samples, 0.5), 3.0);
  EXPECT_DOUBLE_EQ(quantile(samples, 0.9), 4.0 + 0.7 * 4.0);
}

TEST(Distribution, DoesNotDependOnOrder) {
  std::vector<double> samples(1001);
  std::iota(samples.begin(), samples.end(), 0.0);
  std::shuffle(samples.begin(), samples.end(), std::mt19937(1));
  const Distribution d = distribution(samples);
  EXPECT_EQ(d.n, 1001);
  EXPECT_DOUBLE_EQ(d.mean, 500.0);
  EXPECT_DOUBLE_EQ(d.p50, 500.0);
  EXPECT_DOUBLE_EQ(d.p90, 900.0);
  EXPECT_DOUBLE_EQ(d.p99, 990.0);
  EXPECT_DOUBLE_EQ(d.max, 1000.0);
  EXPECT_EQ(distribution({}).n, 0);
}

TEST(Summary, LatenciesAreDifferencesOfTheTimes) {
  const std::vector<CallRecord> records = {done(1.0, {1.5, 1.6, 1.9}, 2.0),
                                           done(2.0, {2.1, 2.3}, 2.5)};
  const LoadSummary s = summarize(records, 10.0);
  EXPECT_EQ(s.n_done, 2);
  EXPECT_EQ(s.first_token.n, 2);
  EXPECT_NEAR(s.first_token.p50, 0.3, 1e-12);  // of 0.5 and 0.1
  EXPECT_NEAR(s.first_token.max, 0.5, 1e-12);
  EXPECT_EQ(s.inter_token.n, 3);  // 0.1, 0.3, 0.2
  EXPECT_NEAR(s.inter_token.p50, 0.2, 1e-12);
  EXPECT_NEAR(s.inter_token.max, 0.3, 1e-12);
  EXPECT_NEAR(s.end_to_end.mean, 0.75, 1e-12);
  EXPECT_NEAR(s.requests_per_s, 0.2, 1e-12);
}

TEST(Summary, CountsByUsageWhereEveryRequestHasIt) {
  // Three chunks each, 12 and 6 tokens.
  std::vector<CallRecord> records = {done(0, {1, 2, 3}, 3, TokenUsage{100, 12}),
                                     done(0, {1, 2, 3}, 3, TokenUsage{50, 6})};
  LoadSummary s = summarize(records, 3.0);
  EXPECT_TRUE(s.counts_usage);
  EXPECT_DOUBLE_EQ(s.output_tokens_per_s, 6.0);
  EXPECT_DOUBLE_EQ(s.input_tokens_per_s, 50.0);
  EXPECT_DOUBLE_EQ(s.mean_output_tokens, 9.0);
  EXPECT_DOUBLE_EQ(s.mean_input_tokens, 75.0);

  records[1].usage.reset();
  s = summarize(records, 3.0);
  EXPECT_FALSE(s.counts_usage);
  EXPECT_DOUBLE_EQ(s.output_tokens_per_s, 2.0);  // 3 chunks of each
  EXPECT_DOUBLE_EQ(s.mean_output_tokens, 3.0);
  EXPECT_DOUBLE_EQ(s.input_tokens_per_s, 0.0);
}

TEST(Summary, RatesAreOfWhatLiesInsideTheWindow) {
  // One from 0 to 4 s, of whose 8 tokens in 4 chunks half arrive by 2 s; one from 1 to 3 s.
  const std::vector<CallRecord> records = {done(0, {1, 2, 3, 4}, 4, TokenUsage{10, 8}),
                                           done(1, {2.5, 3}, 3, TokenUsage{20, 2})};
  const LoadSummary s = summarize(records, 2.0);
  EXPECT_DOUBLE_EQ(s.output_tokens_per_s, 4.0 / 2.0);
  EXPECT_DOUBLE_EQ(s.input_tokens_per_s, 10.0 / 2.0);
  EXPECT_DOUBLE_EQ(s.requests_per_s, (0.5 + 0.5) / 2.0);
  EXPECT_EQ(s.n_done, 2);
  EXPECT_EQ(s.inter_token.n, 4);  // of the time after the window too
}

TEST(Summary, FailuresAreCountedByKindAndNotMeasured) {
  std::vector<CallRecord> records = {failed(0, 1, "HTTP 429", "first"),
                                     failed(0, 1, "cut off", "eof"),
                                     failed(0, 1, "HTTP 429", "second"), done(0, {1}, 1)};
  records[1].content_times = {0.5, 0.6};
  records.emplace_back();  // still under way, nothing seen
  const LoadSummary s = summarize(records, 1.0);
  EXPECT_EQ(s.n_done, 1);
  EXPECT_EQ(s.n_failed, 3);
  EXPECT_EQ(s.n_unfinished, 1);
  ASSERT_EQ(s.errors.size(), 2u);
  EXPECT_EQ(s.errors[0].kind, "HTTP 429");
  EXPECT_EQ(s.errors[0].n, 2);
  EXPECT_EQ(s.errors[0].example, "first");
  EXPECT_EQ(s.errors[1].kind, "cut off");
  EXPECT_EQ(s.first_token.n, 1);
  EXPECT_EQ(s.inter_token.n, 0);
  EXPECT_DOUBLE_EQ(s.output_tokens_per_s, 3.0);  // what arrived has arrived
}

TEST(Summary, OfNothingIsZeros) {
  const LoadSummary s = summarize({}, 0.0);
  EXPECT_EQ(s.n_done + s.n_failed + s.n_unfinished, 0);
  EXPECT_EQ(s.requests_per_s, 0.0);
  EXPECT_FALSE(s.counts_usage);
}

}  // namespace
}  // namespace forge::server::client
