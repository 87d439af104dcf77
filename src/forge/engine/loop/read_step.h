// After a step: tokens are chosen, or taken from the device, and prompt tokens scored.
#pragma once

#include "forge/engine/loop/step_work.h"
#include "forge/models/decoder.h"
#include "forge/models/pipelined_backend.h"

namespace forge::engine {

/// Gives work's jobs their results, on all threads of the decoder: a row of a large vocabulary
/// takes as long as a small model's layer. results: of the decoder's last step that was collected.
void read_step(models::Decoder& decoder, const models::StepResults& results, StepWork& work);

}  // namespace forge::engine
