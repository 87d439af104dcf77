// How far the making of a random model is, for a person who waits.
#pragma once

#include <string>

#include "forge/engine/random_model.h"

namespace forge::cli {

/// Writes a line on stderr every two seconds ("forge: smollm2-135m:q8_0: 40 %, 120 MiB of 300
/// MiB"); ends the work after Ctrl-C (interrupt.h). name is copied.
[[nodiscard]] engine::RandomModelProgress random_model_progress(const std::string& name,
                                                                bool is_quiet);

}  // namespace forge::cli
