// A backend that works while the host prepares its next step, and that chooses tokens itself.
#pragma once

#include <cstdint>
#include <span>

#include "forge/base/result.h"
#include "forge/kernels/cuda/sampling/sampling.h"
#include "forge/models/decoder_backend.h"

namespace forge::models {

/// What a slot's sequence holds, where its row has penalties and the slot is new to it: entries
/// [begin, end) of SampleBatch::history. The device keeps it from then on.
struct HistoryUpdate {
  int32_t slot = 0;
  int32_t begin = 0;
  int32_t end = 0;
};

/// What is to be done with the logits of a step. Row i of the results is row i of these.
struct SampleBatch {
  std::span<const kernels::cuda::SampleRow> rows = {};
  std::span<const kernels::cuda::BiasEntry> biases = {};
  std::span<const int32_t> excluded = {};
  std::span<const HistoryUpdate> histories = {};
  std::span<const kernels::cuda::HistoryEntry> history = {};
  bool wants_logits = false;  // for the host
};

/// Of one step. Valid until the step after the next one is launched.
struct StepResults {
  ActivationView logits = {};          // where they were wanted
  std::span<const float> maxima = {};  // (logit rows, ceil(vocab_size / 16)), likewise
  std::span<const kernels::cuda::SampleResult> sampled = {};  // (sample rows)
  std::span<const kernels::cuda::TopLogprob> top = {};        // (sample rows, kMaxTopLogprobs)
};

/// Steps are launched and collected in the same order; at most two are under way. The token chosen
/// for a slot is the input of the next step where its token id is -1 - slot.
class PipelinedBackend : public DecoderBackend {
 public:
  /// Slots of SampleRow::slot: 0 .. n_slots() - 1.
  [[nodiscard]] virtual int32_t n_slots() const = 0;
  /// The most different tokens that a row with penalties may come to hold.
  [[nodiscard]] virtual int32_t max_history() const = 0;
  /// The most biases and excluded tokens that one row may bring.
  static constexpr int32_t kMaxBiases = 1024;
  static constexpr int32_t kMaxExcluded = 64;

  /// Queues a step.
  [[nodiscard]] virtual Status launch(const PagedBatch& batch, const SampleBatch& samples) = 0;
  /// Waits for the oldest step that was launched.
  [[nodiscard]] virtual Result<StepResults> collect() = 0;
};

}  // namespace forge::models
