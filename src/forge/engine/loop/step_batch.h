// A planned step as the plain arrays that a decoder takes.
#pragma once

#include <cstdint>
#include <vector>

#include "forge/engine/scheduler/scheduler.h"
#include "forge/tensor/paged_batch.h"

namespace forge::engine {

/// Keeps its memory from step to step. One thread.
class StepBatch {
 public:
  /// Sizes of the largest step.
  StepBatch(int32_t max_tokens, int32_t max_logit_rows);

  /// Views into this and the plan's block tables, valid until the next build().
  [[nodiscard]] PagedBatch build(const StepPlan& plan);

 private:
  std::vector<int32_t> token_ids_;
  std::vector<int32_t> positions_;
  std::vector<SequenceRows> sequences_;
  std::vector<int32_t> logit_rows_;
};

}  // namespace forge::engine
