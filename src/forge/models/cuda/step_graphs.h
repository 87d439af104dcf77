// Steps recorded once and launched many times.
#pragma once

#include <compare>
#include <cstdint>
#include <map>

#include "forge/base/function_ref.h"
#include "forge/base/result.h"
#include "forge/kernels/cuda/runtime/stream.h"
#include "forge/kernels/cuda/sampling/sampling.h"
#include "forge/models/cuda/forward.h"

namespace forge::models::cuda {

/// What a recorded step depends on.
struct StepKind {
  StepBounds bounds;
  int32_t n_samples = 0;
  bool has_logprobs = false;  // kernels::cuda::SampleStages
  bool has_changes = false;
  bool has_truncation = false;

  friend auto operator<=>(const StepKind&, const StepKind&) = default;
};

/// Recorded steps by kind. One thread.
class StepGraphs {
 public:
  /// Launches a step, which `queue` queues where it has not been recorded yet.
  [[nodiscard]] Status launch(const StepKind& kind, kernels::cuda::Stream& stream,
                              FunctionRef<Status()> queue);

 private:
  /// A long-running server sees many lengths; recording again costs about a millisecond.
  static constexpr size_t kMost = 256;

  std::map<StepKind, kernels::cuda::Graph> graphs_;
};

}  // namespace forge::models::cuda
