#include "tests/cuda/sampling_step.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace forge::kernels::cuda {
namespace {

/// As the LM head writes them.
std::vector<float> maxima_of(const std::vector<float>& logits) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::vector<float> maxima((logits.size() + kLogitPanel - 1) / kLogitPanel, -kInfinity);
  for (size_t id = 0; id < logits.size(); ++id) {
    float& max = maxima[id / kLogitPanel];
    max = std::isnan(logits[id]) ? kInfinity : std::max(max, logits[id]);
  }
  return maxima;
}

bool is_clear(const RowState& state) {
  return state.best == 0 && std::ranges::count(state.mass, 0u) == kWeightBins &&
         std::ranges::count(state.count, 0u) == kWeightBins && state.n_drawn == 0 &&
         state.n_measured == 0 && state.n_truncated == 0 && state.is_changed == 0;
}

template <typename T>
DeviceArray<T> upload_some(OnDevice& on, const std::vector<T>& values) {
  return values.empty() ? on.array<T>(1) : on.upload(values);
}

}  // namespace

SampleRow& SamplingStep::add(const SamplingParams& params, int32_t of, int64_t position) {
  SampleRow row = settings_of(params);
  row.logits_row = of;
  row.slot = static_cast<int32_t>(rows.size());
  row.position = position;
  return rows.emplace_back(row);
}

SamplingOutcome run(const SamplingStep& step) {
  OnDevice on;
  const size_t n_rows = step.rows.size();
  const size_t n_slots = n_rows;
  // Rows begin at multiples of 16 bytes; maxima begin anywhere.
  const size_t stride = static_cast<size_t>(step.vocab_size + 3) / 4 * 4 + 8;
  const size_t n_panels = static_cast<size_t>(step.vocab_size + kLogitPanel - 1) / kLogitPanel;
  const size_t maxima_stride = n_panels + 3;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> logits(step.logits.size() * stride, 1e30f);
  std::vector<float> maxima(step.logits.size() * maxima_stride, nan);
  for (size_t row = 0; row < step.logits.size(); ++row) {
    std::copy(step.logits[row].begin(), step.logits[row].end(), &logits[row * stride]);
    const std::vector<float> of_row = maxima_of(step.logits[row]);
    std::copy(of_row.begin(), of_row.end(), &maxima[row * maxima_stride]);
  }
  SampleStages stages;
  for (const SampleRow& row : step.rows) {
    const SampleStages wanted = stages_of(row, step.vocab_size);
    stages = {stages.logprobs || wanted.logprobs, stages.changes || wanted.changes,
              stages.truncation || wanted.truncation};
  }
  std::vector<HistoryEntry> history(n_slots * kHistoryStride, {-1, -1, nan});
  for (size_t slot = 0; slot < step.histories.size(); ++slot) {
    std::copy(step.histories[slot].begin(), step.histories[slot].end(),
              history.begin() + static_cast<int64_t>(slot) * kHistoryStride);
  }
  std::vector<SlotHistory> slots = step.slots;
  slots.resize(n_slots);

  auto device_logits = on.array<float>(logits.size());
  auto device_maxima = on.array<float>(maxima.size());
  auto rows = on.upload(step.rows);
  auto results = on.array<SampleResult>(n_rows);
  auto top = on.array<TopLogprob>(n_rows * kMaxTopLogprobs);
  auto next_token = on.array<int32_t>(n_slots);
  auto biases = upload_some(on, step.biases);
  auto excluded = upload_some(on, step.excluded);
  auto device_history = on.upload(history);
  auto device_slots = on.upload(slots);
  auto workspace = on.array<RowState>(n_rows);
  auto* const workspace_bytes = reinterpret_cast<std::byte*>(workspace.data());
  EXPECT_EQ(sample_workspace_bytes(3), int64_t{3 * sizeof(RowState)});
  OnDevice::require(
      clear_sample_workspace(on.stream(), workspace_bytes, static_cast<int32_t>(n_rows)));

  const SampleTask task{.logits = device_logits.data(),
                        .logits_stride = static_cast<int64_t>(stride),
                        .maxima = device_maxima.data(),
                        .maxima_stride = static_cast<int64_t>(maxima_stride),
                        .vocab_size = step.vocab_size,
                        .n_rows = static_cast<int32_t>(n_rows),
                        .stages = step.stages.value_or(stages),
                        .rows = rows.data(),
                        .results = results.data(),
                        .top = top.data(),
                        .next_token = next_token.data(),
                        .biases = biases.data(),
                        .excluded = excluded.data(),
                        .history = device_history.data(),
                        .history_stride = kHistoryStride,
                        .slots = device_slots.data(),
                        .workspace = workspace_bytes};
  DeviceInfo info = on.info();
  info.n_processors = step.n_processors;
  OnDevice::require(on.stream().begin_recording());
  OnDevice::require(sample(on.stream(), info, task));
  Graph graph = OnDevice::take(on.stream().end_recording());
  for (int32_t i = 0; i < step.n_repeats; ++i) {
    const auto copy = [&](DeviceArray<float>& to, const std::vector<float>& from) {
      OnDevice::require(
          on.stream().copy(to.data(), from.data(), static_cast<int64_t>(from.size() * 4)));
    };
    copy(device_logits, logits);
    copy(device_maxima, maxima);
    OnDevice::require(graph.launch(on.stream()));
  }
  const auto first = [](std::vector<float> values, size_t n) {
    values.resize(n);
    return values;
  };
  SamplingOutcome outcome{
      .results = on.download(results),
      .top = on.download(top),
      .next_token = on.download(next_token),
      .rows = on.download(rows),
      .history = on.download(device_history),
      .slots = on.download(device_slots),
      .logits = first(on.download(device_logits), static_cast<size_t>(step.vocab_size)),
      .maxima = first(on.download(device_maxima), n_panels),
      .states = on.download(workspace)};
  for (const RowState& state : outcome.states) EXPECT_TRUE(is_clear(state));
  return outcome;
}

std::vector<float> random_logits(int32_t n, uint32_t seed, float deviation) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, deviation);
  std::vector<float> logits(static_cast<size_t>(n));
  for (float& logit : logits) logit = normal(random);
  return logits;
}

}  // namespace forge::kernels::cuda
