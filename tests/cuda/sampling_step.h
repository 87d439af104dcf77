// A sampling step for tests: rows and logits in, results out.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "forge/kernels/cuda/sampling/row_state.h"
#include "forge/kernels/cuda/sampling/sampling.h"
#include "forge/sampling.h"
#include "tests/cuda/on_device.h"

namespace forge::kernels::cuda {

struct SamplingStep {
  int32_t vocab_size = 0;
  std::vector<std::vector<float>> logits = {};  // vocab_size each
  std::vector<SampleRow> rows = {};
  std::vector<BiasEntry> biases = {};
  std::vector<int32_t> excluded = {};
  std::vector<std::vector<HistoryEntry>> histories = {};  // by slot
  std::vector<SlotHistory> slots = {};                    // likewise
  std::optional<SampleStages> stages = {};                // empty: those that the rows want
  int32_t n_processors = 132;                             // decides the grid
  int32_t n_repeats = 1;  // of the recorded step; the logits are the same each time

  /// A row for params, which reads logits row `of` and has a slot of its own.
  SampleRow& add(const SamplingParams& params, int32_t of, int64_t position = 0);
};

struct SamplingOutcome {
  std::vector<SampleResult> results;
  std::vector<TopLogprob> top;  // (rows, kMaxTopLogprobs); -1 where there are none
  std::vector<int32_t> next_token;
  std::vector<SampleRow> rows;
  std::vector<HistoryEntry> history;  // (slots, kHistoryStride)
  std::vector<SlotHistory> slots;
  std::vector<float> logits;  // of logits row 0, after the changes
  std::vector<float> maxima;
  std::vector<RowState> states;
};
inline constexpr int64_t kHistoryStride = 64;

/// Runs a step through a recorded graph. What a row has beyond its logits is large. Expects
/// that the workspace is fit for the next step.
SamplingOutcome run(const SamplingStep& step);

/// n logits, normal with this deviation, and this seed.
std::vector<float> random_logits(int32_t n, uint32_t seed, float deviation = 3.0f);

}  // namespace forge::kernels::cuda
