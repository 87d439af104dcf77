// One download as a person sees it: progress and lines on stderr, Ctrl-C.
#pragma once

#include "forge/base/result.h"
#include "forge/hub/pull.h"

namespace forge::cli {

/// What Ctrl-C (or SIGTERM) does, after a line that says what is kept.
enum class OnInterrupt {
  kReturn,           // the error "interrupted"; was_interrupted() is true then
  kReturnFromCtrlC,  // the same for Ctrl-C; SIGTERM ends the process
  kEndProcess,       // the signal ends the process, as it would have without us
};

/// How much is said.
enum class PullNoise { kProgress, kLinesOnly };

[[nodiscard]] Result<hub::PulledModel> run_pull_of(const hub::ModelName& name,
                                                   const hub::Settings& settings,
                                                   OnInterrupt on_interrupt,
                                                   PullNoise noise = PullNoise::kProgress);
/// A signal ended the last download.
[[nodiscard]] bool was_interrupted();

}  // namespace forge::cli
