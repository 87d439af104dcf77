// The host's side of a step that is under way: its inputs and results in pinned memory.
#pragma once

#include <cstdint>
#include <span>

#include "forge/base/result.h"
#include "forge/kernels/cuda/runtime/memory.h"
#include "forge/kernels/cuda/runtime/stream.h"
#include "forge/models/cuda/decoder_shape.h"
#include "forge/models/cuda/step_buffers.h"
#include "forge/models/pipelined_backend.h"

namespace forge::models::cuda {

/// Memory that a step uses from its launch until the step after the next one is launched. Movable;
/// one thread.
class Flight {
 public:
  [[nodiscard]] static Result<Flight> create(int32_t device, const DecoderShape& shape);

  /// Where the step's inputs are written.
  [[nodiscard]] const StepInputs& inputs() const { return inputs_; }
  /// Queues a copy of the inputs: all arrays, and as many entries of block tables.
  [[nodiscard]] Status upload(kernels::cuda::Stream& stream, const StepInputs& to,
                              int64_t table_entries) const;
  /// Queues copies of what changes logits, and of the rows that say so.
  [[nodiscard]] Status upload(kernels::cuda::Stream& stream, const SampleBatch& samples,
                              const SampleBuffers& to) const;
  /// Queues copies of what new slots' sequences hold. Waits for the stream where it is more than a
  /// slot's history in all.
  [[nodiscard]] Status upload(kernels::cuda::Stream& stream, const SampleBatch& samples,
                              const SampleHistories& to) const;

  /// Queues copies of the results, of so many logit rows if any, and the mark that wait() waits
  /// for.
  [[nodiscard]] Status download(kernels::cuda::Stream& stream, const StepBuffers& buffers,
                                const SampleBuffers& samples, int32_t n_samples,
                                int32_t n_logit_rows);
  [[nodiscard]] Status wait() { return done_.wait(); }
  /// Of the step, once it is done.
  [[nodiscard]] StepResults results() const;

 private:
  int32_t device_ = 0;
  DecoderShape shape_;
  kernels::cuda::PinnedMemory memory_;
  kernels::cuda::PinnedMemory logit_memory_;  // made when the host first wants logits
  StepInputs inputs_;
  SampleBuffers samples_;                           // biases, excluded, results and top
  kernels::cuda::HistoryEntry* history_ = nullptr;  // (history)
  kernels::cuda::SlotHistory* slots_ = nullptr;     // (n_slots)
  int32_t n_samples_ = 0;
  int32_t n_logit_rows_ = 0;
  kernels::cuda::Event done_;
};

}  // namespace forge::models::cuda
