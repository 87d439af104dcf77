// The machine's flags as the library takes them.
#pragma once

#include "forge/cli/runtime_options.h"
#include "forge/engine.h"

namespace forge::cli {

/// Everything that RuntimeOptions say; check() has passed.
[[nodiscard]] EngineOptions engine_options(const RuntimeOptions& runtime);

}  // namespace forge::cli
