// The time of a step's stages on the device, by events.
#pragma once

#include <vector>

#include "forge/base/result.h"
#include "forge/kernels/cuda/runtime/stream.h"
#include "forge/models/stage_times.h"

namespace forge::models::cuda {

/// Marks where stages begin; reads the marks once the step is done. One thread.
class StageClock {
 public:
  explicit StageClock(int32_t device) : device_(device) {}

  /// A stage begins with what is queued next.
  [[nodiscard]] Status mark(kernels::cuda::Stream& stream, StageTimes::Stage stage);
  /// The last one ends with what has been queued.
  [[nodiscard]] Status mark_end(kernels::cuda::Stream& stream);
  /// Adds the marked step, which is done, to times.
  [[nodiscard]] Status add_to(StageTimes& times);

 private:
  [[nodiscard]] Status record(kernels::cuda::Stream& stream);

  int32_t device_;
  std::vector<kernels::cuda::Event> events_;  // kept for the next step
  std::vector<StageTimes::Stage> stages_;     // stage i lies between events i and i + 1
  size_t n_marks_ = 0;
};

}  // namespace forge::models::cuda
