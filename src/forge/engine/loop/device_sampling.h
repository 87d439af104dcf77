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
  /// n_slots: the decoder's; 0 where it chooses nothing.
  DeviceSampling(int32_t n_slots, int32_t vocab_size, int32_t max_samples);

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

  int32_t vocab_size_;
  std::vector<int32_t> free_slots_;  // a stack
  bool has_slots_;
  std::vector<kernels::cuda::SampleRow> rows_;
  std::vector<kernels::cuda::BiasEntry> biases_;
  std::vector<int32_t> excluded_;
};

}  // namespace forge::engine
