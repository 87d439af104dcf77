// Trusts: the engine's penalties.h and logprobs.h.
//
// Mutations that were seen: barriers of apply_history, raw_logit and write_top gone; changes to a
// row that is bad; the last panel's bound gone; pending or n_entries not written; is_changed not
// set; a token that failed is remembered. Not seen: the barriers before and after the excluded
// tokens, which keep apart reads and writes of one logit that fibers do not mix.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "forge/engine/logprobs.h"
#include "forge/engine/penalties.h"
#include "tests/cuda/orders.h"
#include "tests/cuda/sampling_step.h"

namespace forge::kernels::cuda {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// A sequence on both sides.
struct Said {
  std::vector<int32_t> prompt;
  std::vector<int32_t> generated;

  [[nodiscard]] engine::TokenHistory on_cpu() const {
    engine::TokenHistory history;
    history.add_prompt(prompt);
    for (const int32_t id : generated) history.add_generated(id);
    return history;
  }
  [[nodiscard]] std::vector<HistoryEntry> on_device() const {
    std::vector<HistoryEntry> entries;
    const engine::TokenHistory history = on_cpu();
    for (const auto& [id, count] : history.counts()) entries.push_back({id, count.generated});
    return entries;
  }
};

std::vector<float> changed_on_cpu(const std::vector<float>& logits, const SamplingParams& params,
                                  const engine::TokenHistory& history,
                                  const std::vector<int32_t>& excluded) {
  engine::PanelLogits panels;
  EXPECT_TRUE(panels.set(logits, {}).ok());
  engine::apply_logit_bias(params.logit_bias, panels);
  engine::apply_penalties(params, history, panels);
  for (const int32_t id : excluded) panels.change(id, -kInfinity);
  std::vector<float> changed;
  for (size_t id = 0; id < logits.size(); ++id) {
    changed.push_back(panels.at(static_cast<int32_t>(id)));
  }
  return changed;
}

int32_t best_of(const std::vector<float>& logits) {
  return static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

/// A row that changes logits: greedy, with its ranges in the step's arrays.
void add_changing(SamplingStep& step, SamplingParams params, const Said& said,
                  const std::vector<int32_t>& excluded, int32_t of) {
  SampleRow& row = step.add(params, of);
  row.bias_begin = static_cast<int32_t>(step.biases.size());
  for (const LogitBias& entry : params.logit_bias) step.biases.push_back({entry.id, entry.bias});
  row.bias_end = static_cast<int32_t>(step.biases.size());
  row.excluded_begin = static_cast<int32_t>(step.excluded.size());
  step.excluded.insert(step.excluded.end(), excluded.begin(), excluded.end());
  row.excluded_end = static_cast<int32_t>(step.excluded.size());
  step.histories.push_back(said.on_device());
  step.slots.push_back({static_cast<int32_t>(step.histories.back().size()), -1});
}

TEST(SamplingChanges, AreThoseOfTheCpu) {
  const int32_t n = 2003;
  const std::vector<float> logits = random_logits(n, 21);
  const int32_t best = best_of(logits);
  // Tokens of one panel, of the last one, the best one; once in the prompt, once said, both.
  const Said said{{3, 4, 5, 2002, best, 900}, {5, 5, 5, 6, best, 1500, 2002}};
  SamplingParams params{.temperature = 0.0};
  params.logit_bias = {{7, 2.5f}, {5, -1.25f}, {2002, 100.0f}, {1200, 0.5f}};
  const std::vector<int32_t> excluded = {2002, 8};
  for (const auto& [r, presence, frequency] : {std::tuple{1.0, 0.0, 0.0},
                                               {1.3, 0.0, 0.0},
                                               {0.7, 0.0, 0.0},
                                               {1.0, 0.5, 0.0},
                                               {1.0, 0.0, -1.7},
                                               {1.1, 0.3, 0.2}}) {
    params.repetition_penalty = r;
    params.presence_penalty = presence;
    params.frequency_penalty = frequency;
    in_every_order([&] {
      SamplingStep step{.vocab_size = n, .logits = {logits}};
      add_changing(step, params, said, excluded, 0);
      const SamplingOutcome outcome = run(step);
      const std::vector<float> expected = changed_on_cpu(logits, params, said.on_cpu(), excluded);
      for (size_t id = 0; id < logits.size(); ++id) {
        if (std::isinf(expected[id])) {
          EXPECT_EQ(outcome.logits[id], expected[id]) << id;
        } else {  // two roundings of numbers up to 110
          EXPECT_NEAR(outcome.logits[id], expected[id], 110.0f * 0x1p-23f) << id;
        }
      }
      for (size_t p = 0; p < outcome.maxima.size(); ++p) {
        const auto begin = outcome.logits.begin() + static_cast<ptrdiff_t>(p) * 16;
        const auto end = p + 1 < outcome.maxima.size() ? begin + 16 : outcome.logits.end();
        EXPECT_EQ(outcome.maxima[p], *std::max_element(begin, end)) << p;
      }
      EXPECT_EQ(outcome.results[0].status, SampleStatus::kToken);
      EXPECT_EQ(outcome.results[0].id, best_of(outcome.logits));
    });
  }
}

// Each kind of change alone brings its stage along.
TEST(SamplingChanges, OneOfAKind) {
  const int32_t n = 100;
  SamplingStep step{.vocab_size = n};
  for (int i = 0; i < 3; ++i) {
    step.logits.emplace_back(static_cast<size_t>(n), 0.0f);
    step.logits.back()[20] = 1.0f;
    step.logits.back()[60] = 0.75f;
  }
  add_changing(step, {.temperature = 0.0, .logit_bias = {{60, 1.0f}}}, {}, {}, 0);
  add_changing(step, {.temperature = 0.0, .presence_penalty = 0.5}, {{}, {20}}, {}, 1);
  add_changing(step, {.temperature = 0.0}, {}, {20}, 2);
  for (const SampleResult& result : run(step).results) EXPECT_EQ(result.id, 60);
}

TEST(SamplingChanges, TheHistoryGrowsWithWhatIsSaid) {
  const int32_t n = 300;
  std::vector<float> logits = random_logits(n, 8, 0.4f);
  logits[50] = logits[200] = 1.8f;  // said again and again, and others
  const Said said{{1, 2, 3}, {4, 4}};
  const SamplingParams params{
      .temperature = 0.0, .repetition_penalty = 1.2, .frequency_penalty = 0.15};
  for (int n_steps = 1; n_steps <= 12; ++n_steps) {
    SamplingStep step{.vocab_size = n, .logits = {logits}, .n_repeats = n_steps};
    add_changing(step, params, said, {}, 0);
    Said expected = said;
    for (int i = 0; i < n_steps; ++i) {
      expected.generated.push_back(best_of(changed_on_cpu(logits, params, expected.on_cpu(), {})));
    }
    const int32_t last = expected.generated.back();
    expected.generated.pop_back();
    const engine::TokenHistory history = expected.on_cpu();
    in_every_order([&] {
      const SamplingOutcome outcome = run(step);
      EXPECT_EQ(outcome.results[0].id, last);
      EXPECT_EQ(outcome.slots[0].pending, last);
      ASSERT_EQ(outcome.slots[0].n_entries, static_cast<int32_t>(history.counts().size()));
      for (int32_t i = 0; i < outcome.slots[0].n_entries; ++i) {
        const HistoryEntry& entry = outcome.history[static_cast<size_t>(i)];
        ASSERT_TRUE(history.counts().contains(entry.id));
        EXPECT_EQ(entry.n_generated, history.counts().at(entry.id).generated);
      }
    });
  }
}

TEST(SamplingChanges, WhatCanGoWrong) {
  const int32_t n = 40;
  SamplingStep step{.vocab_size = n};
  step.logits = {std::vector<float>(40, 1.0f), std::vector<float>(40, 1.0f),
                 std::vector<float>(40, 1.0f)};
  step.logits[0][11] = 3e38f;
  step.logits[2][30] = kInfinity;
  const SamplingParams tiny{.temperature = 0.0, .repetition_penalty = 1e-3};
  std::vector<int32_t> all;
  for (int32_t id = 0; id < n; ++id) all.push_back(id);
  add_changing(step, tiny, {{11, 12}, {}}, {}, 0);
  add_changing(step, tiny, {{11}, {}}, all, 1);
  step.slots[1].pending = 5;
  add_changing(step, tiny, {{11}, {}}, {30}, 2);  // what is excluded is looked at all the same
  const SamplingOutcome outcome = run(step);
  EXPECT_EQ(outcome.results[0].status, SampleStatus::kInfinite);
  EXPECT_EQ(outcome.results[0].id, 11);
  EXPECT_EQ(outcome.results[1].status, SampleStatus::kNothingLeft);
  EXPECT_EQ(outcome.results[2].status, SampleStatus::kBadLogit);
  EXPECT_EQ(outcome.results[2].id, 30);
  EXPECT_EQ(outcome.slots[0].pending, -1);
  EXPECT_EQ(outcome.slots[1].pending, -1);
  EXPECT_EQ(outcome.slots[1].n_entries, 2);
}

void expect_logprobs(const SamplingOutcome& outcome, size_t row, const std::vector<float>& logits,
                     int32_t n) {
  const SampleResult& result = outcome.results[row];
  const PositionLogprobs expected = engine::logprobs_of(logits, result.id, n);
  // Weights are good to 2e-7 (1 + |y|), y some bits where they count; then a rounding to f32.
  const auto near = [](double actual, double wanted) {
    return actual == wanted || std::abs(actual - wanted) < 3e-6 + std::abs(wanted) * 0x1p-23;
  };
  EXPECT_TRUE(near(static_cast<double>(result.logprob), expected.chosen.logprob))
      << result.logprob << " " << expected.chosen.logprob;
  const TopLogprob* top = &outcome.top[row * kMaxTopLogprobs];
  for (size_t i = 0; i < expected.top.size(); ++i) {
    EXPECT_EQ(top[i].id, expected.top[i].id) << i;
    EXPECT_TRUE(near(static_cast<double>(top[i].logprob), expected.top[i].logprob)) << i;
  }
  if (expected.top.size() < kMaxTopLogprobs) {
    EXPECT_EQ(top[expected.top.size()].id, -1);
  }
}

TEST(SamplingLogprobs, AreThoseOfTheCpu) {
  for (const int32_t n : {3, 33, 3001}) {
    SCOPED_TRACE(n);
    const auto size = static_cast<size_t>(n);
    SamplingStep step{.vocab_size = n,
                      .logits = {random_logits(n, 31), random_logits(n, 32, 0.1f)}};
    step.logits.emplace_back(size, 0.5f);
    step.logits.emplace_back(size, -kInfinity)[1] = 2.0f;
    step.logits.emplace_back(size, -90.0f)[size - 1] = 7.0f;
    for (const int32_t n_top : {-1, 0, 1, 5, 20}) {
      for (int32_t of = 0; of < 5; ++of) {
        step.add({.temperature = 0.5, .top_p = 0.9}, of).n_logprobs = n_top;
      }
    }
    in_every_order([&] {
      for (const int32_t n_processors : {1, 1000}) {
        step.n_processors = n_processors;
        const SamplingOutcome outcome = run(step);
        for (size_t row = 0; row < step.rows.size(); ++row) {
          SCOPED_TRACE(row);
          if (step.rows[row].n_logprobs < 0) {
            EXPECT_EQ(outcome.results[row].logprob, 0.0f);
            EXPECT_EQ(outcome.top[row * kMaxTopLogprobs].id, -1);
          } else {
            expect_logprobs(outcome, row, step.logits[row % 5], step.rows[row].n_logprobs);
          }
        }
      }
    });
  }
}

TEST(SamplingLogprobs, AreOfTheModelsLogits) {
  const int32_t n = 2003;
  SamplingStep step{.vocab_size = n};
  for (uint32_t i = 0; i < 6; ++i) step.logits.push_back(random_logits(n, 40 + i));
  step.logits[0][9] = 30.0f;
  const Said said{{9, 10, 11, 12}, {}};
  const std::vector<LogitBias> bias = {{7, 0.5f}, {9, 50.0f}, {10, 0.5f}};
  SamplingParams params{.temperature = 0.0, .repetition_penalty = 0.01};
  add_changing(step, params, said, {}, 0);  // chosen: 9
  params.logit_bias = bias;
  add_changing(step, params, said, {}, 1);  // of both lists
  add_changing(step, {.temperature = 0.0, .logit_bias = bias}, {}, {}, 2);
  add_changing(step, {.temperature = 0.0, .logit_bias = {{9, -50.0f}}}, {}, {}, 3);  // of none
  add_changing(step, {.temperature = 0.0, .presence_penalty = -2.0}, {}, {}, 4);
  step.slots[4].pending = best_of(step.logits[4]);                          // new to the list
  add_changing(step, {.temperature = 0.1, .logit_bias = bias}, {}, {}, 5);  // several parts
  for (SampleRow& row : step.rows) row.n_logprobs = 3;
  in_every_order([&] {
    const SamplingOutcome outcome = run(step);
    for (size_t row = 0; row < step.rows.size(); ++row) {
      SCOPED_TRACE(row);
      expect_logprobs(outcome, row, step.logits[row], 3);
    }
    for (const size_t row : {0, 1, 2, 5}) EXPECT_EQ(outcome.results[row].id, 9) << row;
  });
}

TEST(CanSample, SaysWhatADeviceLeavesToTheHost) {
  EXPECT_TRUE(can_sample(SamplingParams{}, 20, 151936));
  EXPECT_FALSE(can_sample(SamplingParams{}, 21, 151936));
  EXPECT_FALSE(can_sample(SamplingParams{}, 0, kMaxSampledVocab + 1));
  EXPECT_FALSE(can_sample(SamplingParams{.typical_p = 0.5}, 0, 100));
  EXPECT_TRUE(can_sample(SamplingParams{.temperature = 0.0, .typical_p = 0.5}, 0, 100));
}

}  // namespace
}  // namespace forge::kernels::cuda
