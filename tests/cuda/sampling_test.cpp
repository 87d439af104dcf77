// Trusts: the definition of a greedy choice; Gumbel's trick in double over engine/random.h's
// Philox; chi-square against the exact distribution.
//
// Mutations that were seen: a barrier of max_of_block, is_last_part's second one or that after
// state.best is gone; counters, best, is_changed are not cleared; NaN is compared as a number; the
// bounds of groups and tokens are gone; the quick test's slack is below 1 or the panels' bound too
// low; min-p is left out; other Philox counters or another limit between the halves of the noise.
// Not seen here: is_last_part's first barrier (blocks run one after another),
// wait_for_predecessor() (kernels do too), bounds that only keep reads inside of memory
// (first_of_panel, for_each_group), and what only saves work (greedy rows' other parts, may_win's
// weights).
#include "forge/kernels/cuda/sampling/sampling.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "forge/engine/random.h"
#include "forge/kernels/cuda/matmul/matmul.h"
#include "tests/cuda/orders.h"
#include "tests/cuda/sampling_step.h"

namespace forge::kernels::cuda {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
const SamplingParams kGreedyParams{.temperature = 0.0};

/// logits = what a model gives where every token is as likely as the next, but for these.
std::vector<float> flat_but(int32_t n, std::vector<std::pair<int32_t, float>> others) {
  std::vector<float> logits(static_cast<size_t>(n), 0.25f);
  for (const auto& [id, logit] : others) logits[static_cast<size_t>(id)] = logit;
  return logits;
}

std::vector<int32_t> tokens_of(const SamplingOutcome& outcome) {
  std::vector<int32_t> tokens;
  for (const SampleResult& result : outcome.results) {
    EXPECT_EQ(result.status, SampleStatus::kToken);
    tokens.push_back(result.id);
  }
  return tokens;
}

TEST(Sampling, GreedyTakesTheFirstOfTheLargest) {
  struct Case {
    std::vector<float> logits;
    int32_t token;
  };
  for (const int32_t n : {1, 5, 16, 17, 100, 2003, 9000}) {
    SCOPED_TRACE(n);
    std::vector<Case> cases{{flat_but(n, {}), 0},
                            {flat_but(n, {{n - 1, 3.0f}}), n - 1},
                            {flat_but(n, {{n / 2, 3.0f}, {n - 1, 3.0f}}), n / 2},
                            {flat_but(n, {{n / 2, -0.0f}}), n == 1       ? 0
                                                            : n / 2 == 0 ? 1
                                                                         : 0},
                            {std::vector<float>(static_cast<size_t>(n), -0.0f), 0}};
    cases.push_back({random_logits(n, 7), 0});
    const std::vector<float>& last = cases.back().logits;
    cases.back().token =
        static_cast<int32_t>(std::max_element(last.begin(), last.end()) - last.begin());
    cases.push_back({std::vector<float>(static_cast<size_t>(n), -kInfinity), n / 3});
    cases.back().logits[static_cast<size_t>(n / 3)] = -50.0f;
    in_every_order([&] {
      SamplingStep step{.vocab_size = n};
      std::vector<int32_t> tokens;
      for (const Case& each : cases) {
        step.logits.push_back(each.logits);
        step.add(kGreedyParams, static_cast<int32_t>(tokens.size()));
        tokens.push_back(each.token);
      }
      const SamplingOutcome outcome = run(step);
      EXPECT_EQ(tokens_of(outcome), tokens);
      EXPECT_EQ(outcome.next_token, tokens);
    });
  }
}

TEST(Sampling, WhatIsWrongWithARow) {
  const int32_t n = 2003;
  SamplingStep step{.vocab_size = n};
  step.logits = {flat_but(n, {{40, kNan}, {39, 1.0f}, {1700, kInfinity}}),
                 flat_but(n, {{2002, kInfinity}, {1000, 9.0f}}),
                 std::vector<float>(static_cast<size_t>(n), -kInfinity),
                 flat_but(n, {{8, -kNan}, {7, kInfinity}}), flat_but(n, {{3, 9.0f}})};
  const SampleResult expected[] = {{SampleStatus::kBadLogit, 40},
                                   {SampleStatus::kBadLogit, 2002},
                                   {SampleStatus::kNothingLeft, 0},
                                   {SampleStatus::kBadLogit, 7},
                                   {SampleStatus::kToken, 3}};
  for (const double temperature : {0.0, 0.01}) {
    in_every_order([&] {
      step.rows.clear();
      for (int32_t row = 0; row < 5; ++row) step.add({.temperature = temperature}, row);
      const SamplingOutcome outcome = run(step);
      for (size_t row = 0; row < 5; ++row) {
        EXPECT_EQ(outcome.results[row].status, expected[row].status) << row;
        EXPECT_EQ(outcome.results[row].id, expected[row].id) << row;
        EXPECT_EQ(outcome.next_token[row], row == 4 ? 3 : 0) << row;
      }
    });
  }
}

TEST(Sampling, RowsThatAreNotThereAreLeftAlone) {
  SamplingStep step{.vocab_size = 100, .logits = {random_logits(100, 1)}};
  step.add({}, 0);
  step.add({}, 0).flags = 0;
  step.rows[1].logits_row = 1 << 20;
  step.rows[1].slot = 1 << 20;
  const SamplingOutcome outcome = run(step);
  EXPECT_EQ(outcome.results[0].status, SampleStatus::kToken);
  EXPECT_EQ(outcome.results[1].id, -1);
  EXPECT_EQ(outcome.next_token[1], -1);
}

TEST(Sampling, AStageThatWasNotRecordedIsSaid) {
  SamplingStep step{.vocab_size = 100, .logits = {random_logits(100, 1)}};
  step.stages = SampleStages{};
  step.add({}, 0);
  step.add({.top_k = 5}, 0);
  step.add({.top_p = 0.9}, 0);
  step.add(kGreedyParams, 0).n_logprobs = 0;
  step.add({.presence_penalty = 1.0}, 0);
  step.add({}, 0).bias_end = 1;
  step.add(kGreedyParams, 0).excluded_end = 1;
  const SamplingOutcome outcome = run(step);
  EXPECT_EQ(outcome.results[0].status, SampleStatus::kToken);
  for (size_t row = 1; row < step.rows.size(); ++row) {
    EXPECT_EQ(outcome.results[row].status, SampleStatus::kNotRecorded) << row;
    EXPECT_EQ(outcome.next_token[row], 0) << row;
  }
}

// The LM head's maxima say where a logit is not a number, in whichever row of a tile.
TEST(Sampling, TheOutputHeadKeepsWhatIsNotANumber) {
  OnDevice on;
  const auto weight = on.upload(std::vector<uint16_t>(16 * 64, 0));
  const auto x = on.upload(std::vector<uint16_t>(64, 0));
  for (size_t bad = 0; bad < 16; ++bad) {
    std::vector<float> biases(16, 1.0f);
    biases[bad] = kNan;
    const auto bias = on.upload(biases);
    const auto y = on.array<float>(16);
    const auto maxima = on.array<float>(1);
    const MatmulTask task{.weight = {.kind = WeightKind::kPlain,
                                     .rows = 16,
                                     .columns = 64,
                                     .low = reinterpret_cast<const std::byte*>(weight.data()),
                                     .row_bytes = 128},
                          .n_rows = 16,
                          .x = x.data(),
                          .x_stride = 64,
                          .n_tokens = 1,
                          .norm = {},
                          .bias = bias.data(),
                          .finish = Finish::kLogits,
                          .y = y.data(),
                          .y_stride = 16,
                          .maxima = maxima.data(),
                          .next = {}};
    OnDevice::require(matmul(on.stream(), on.info(), task));
    EXPECT_FALSE(on.download(maxima)[0] < kInfinity) << bad;
  }
}

/// The draw in double, with the same random bits.
int32_t drawn_in_double(const std::vector<float>& logits, double temperature, double min_p,
                        uint64_t seed, int64_t position) {
  const auto max = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
  double best = -std::numeric_limits<double>::infinity();
  int32_t chosen = -1;
  for (size_t id = 0; id < logits.size(); ++id) {
    const double log_weight = (static_cast<double>(logits[id]) - max) / temperature;
    if (std::exp(log_weight) < min_p) continue;
    const auto at = static_cast<uint64_t>(position);
    const uint32_t bits = engine::philox4x32(
        {static_cast<uint32_t>(at), static_cast<uint32_t>(at >> 32), static_cast<uint32_t>(id / 4),
         1},
        {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)})[id % 4];
    const double score = log_weight - std::log(-std::log1p(-(bits + 0.5) * 0x1p-32));
    if (score > best) {
      best = score;
      chosen = static_cast<int32_t>(id);
    }
  }
  return chosen;
}

TEST(Sampling, ADrawIsGumbelsTrick) {
  for (const int32_t n : {1, 19, 2003, 9000}) {
    SCOPED_TRACE(n);
    SamplingStep step{.vocab_size = n, .logits = {random_logits(n, 3), random_logits(n, 4, 0.01f)}};
    std::vector<int32_t> expected;
    for (int32_t i = 0; i < 12; ++i) {
      const double temperature = i % 3 == 0 ? 0.4 : i % 3 == 1 ? 1.0 : 2.5;
      const double min_p = i % 2 == 0 ? 0.0 : 0.02;
      const uint64_t seed = 0xABCDEF0123456789u * static_cast<uint64_t>(i + 1);
      const int64_t position = i == 5 ? int64_t{1} << 33 : 7 * i;
      step.add({.temperature = temperature, .min_p = min_p, .seed = seed}, i % 4 / 2, position);
      expected.push_back(
          drawn_in_double(step.logits[i % 4 / 2], temperature, min_p, seed, position));
    }
    in_every_order([&] {
      for (const int32_t n_processors : {1, 40, 1000}) {  // 1, a few and as many parts as can be
        step.n_processors = n_processors;
        const SamplingOutcome outcome = run(step);
        EXPECT_EQ(tokens_of(outcome), expected);
      }
    });
  }
}

// Where the best of few tokens wins with any noise, poor noise counts too.
TEST(Sampling, ADrawOfTwoTokens) {
  SamplingStep step{.vocab_size = 2, .logits = {{0.5f, 0.0f}}};
  std::vector<int32_t> expected;
  for (int32_t i = 0; i < 1000; ++i) {
    step.add({.seed = 8}, 0, i);
    expected.push_back(drawn_in_double(step.logits[0], 1.0, 0.0, 8, i));
  }
  EXPECT_EQ(tokens_of(run(step)), expected);
}

TEST(Sampling, TemperaturesAtTheirEnds) {
  const int32_t n = 2003;
  SamplingStep step{.vocab_size = n, .logits = {random_logits(n, 3)}};
  step.logits[0][1999] = 20.0f;
  step.logits[0][5] = -kInfinity;
  step.add({.temperature = 1e-40}, 0);
  for (int32_t i = 0; i < 20; ++i) step.add({.temperature = 1e300, .seed = 77}, 0, i);
  const std::vector<int32_t> tokens = tokens_of(run(step));
  EXPECT_EQ(tokens[0], 1999);
  const auto flat = flat_but(n, {});
  for (int32_t i = 0; i < 20; ++i) {
    EXPECT_EQ(tokens[static_cast<size_t>(i) + 1], drawn_in_double(flat, 1.0, 0.0, 77, i));
  }
}

TEST(Sampling, ARecordedStepGoesOnByItself) {
  const int32_t n = 2003;
  SamplingStep step{.vocab_size = n, .logits = {random_logits(n, 5)}, .n_repeats = 3};
  step.add({.seed = 5}, 0, 40).flags |= kAdvances;
  step.add({.seed = 5}, 0, 40);
  step.add(kGreedyParams, 0, 9).flags |= kAdvances;
  const SamplingOutcome outcome = run(step);
  EXPECT_EQ(outcome.rows[0].position, 43);
  EXPECT_EQ(outcome.rows[1].position, 40);
  EXPECT_EQ(outcome.rows[2].position, 12);
  EXPECT_EQ(outcome.next_token[0], drawn_in_double(step.logits[0], 1.0, 0.0, 5, 42));
  EXPECT_EQ(outcome.next_token[1], drawn_in_double(step.logits[0], 1.0, 0.0, 5, 40));
}

}  // namespace
}  // namespace forge::kernels::cuda
