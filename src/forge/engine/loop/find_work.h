// Before a step is launched: whose next token it brings, and what else is to be read from it.
#pragma once

#include <memory>
#include <vector>

#include "forge/engine/loop/device_sampling.h"
#include "forge/engine/loop/live_request.h"
#include "forge/engine/loop/step_work.h"
#include "forge/engine/scheduler/scheduler.h"

namespace forge::engine {

/// Fills work, which is empty, and sampling's next batch. live: all requests, each at its place.
void find_work(const StepPlan& plan, bool device_chooses,
               const std::vector<std::shared_ptr<LiveRequest>>& live, DeviceSampling& sampling,
               StepWork& work);

}  // namespace forge::engine
