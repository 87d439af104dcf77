// forge bench hw: the machine's limits.
#pragma once

#include "forge/cli/command_line.h"

namespace forge::cli {

/// Takes the arguments after "hw"; returns the exit code.
[[nodiscard]] int run_bench_hw(const Arguments& arguments);

}  // namespace forge::cli
