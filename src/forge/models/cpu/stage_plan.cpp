#include "forge/models/cpu/stage_plan.h"

#include <algorithm>

namespace forge::models::cpu {

void StagePlan::add(int32_t matrix, int32_t n_panels, int32_t unit, int32_t target_panels) {
  const int32_t step = std::max(1, target_panels / unit) * unit;
  for (int32_t begin = 0; begin < n_panels; begin += step) {
    const int32_t end = std::min(begin + step, n_panels);
    chunks_.push_back({matrix, begin, end});
    largest_ = std::max(largest_, end - begin);
  }
}

int32_t StagePlan::panels_of_bytes(const PackedMatrix& matrix, int64_t target_bytes) {
  return static_cast<int32_t>(std::max<int64_t>(1, target_bytes / matrix.panel_bytes));
}

}  // namespace forge::models::cpu
