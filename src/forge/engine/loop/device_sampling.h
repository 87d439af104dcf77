// Which tokens the device chooses itself, and what it has to be told for that.
#pragma once

#include <cstdint>
#include <vector>

#include "forge/engine/loop/step_work.h"
#include "forge/models/decoder.h"
#include "forge/models/pipelined_backend.h"

namespace forge::engine {

/// Builds the samples of a step. A request's tokens are all chosen in the same place, device or
/// host, whatever runs beside it. Allocates nothing once its arrays have their sizes. One thread.
class DeviceSampling {
 public:
  DeviceSampling(const models::Decoder& decoder, int32_t vocab_size, int32_t max_samples);

  /// Whether the device does all that the request asks for.
  [[nodiscard]] bool can_choose(const LiveRequest& live) const;

  void begin_step();
  /// A token of a request that can_choose(): gives the choice a slot and the job its place among
  /// the samples. live: everybody who may hold a slot.
  void add(Choosing& job, const std::vector<std::shared_ptr<LiveRequest>>& live);
  /// Views that are valid until the next begin_step().
  [[nodiscard]] models::SampleBatch batch() const;

  /// The choice has ended: its slot is another's from the next step on.
  void release(LiveChoice& choice);

  /// What the device answered for a job.
  static void read(const models::StepResults& results, Choosing& job);

 private:
  [[nodiscard]] int32_t take_slot(const std::vector<std::shared_ptr<LiveRequest>>& live);
  void add_history(const LiveChoice& choice);

  int32_t vocab_size_;
  int32_t max_history_;              // different tokens
  std::vector<int32_t> free_slots_;  // a stack
  bool has_slots_;
  std::vector<kernels::cuda::SampleRow> rows_;
  std::vector<kernels::cuda::BiasEntry> biases_;
  std::vector<int32_t> excluded_;
  std::vector<models::HistoryUpdate> histories_;
  std::vector<kernels::cuda::HistoryEntry> history_;
};

}  // namespace forge::engine
