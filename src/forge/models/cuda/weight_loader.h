// From the checkpoint's file to packed weights on the device.
#pragma once

#include "forge/base/result.h"
#include "forge/models/cuda/device_weights.h"

namespace forge::models::cuda {

/// Brings everything of a plan, which was laid out in memory of the device. Rows travel through a
/// ring of pinned buffers: while the device copies and packs some, n_threads threads read the next.
/// All of it is on the device when this returns.
[[nodiscard]] Status load_weights(const Model& model, const WeightPlan& plan, int32_t device,
                                  int64_t n_positions, int n_threads);

}  // namespace forge::models::cuda
