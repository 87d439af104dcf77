// forge bench serve: how fast a server answers many clients at once.
#pragma once

#include "forge/cli/command_line.h"

namespace forge::cli {

/// Takes the arguments after "serve"; returns the exit code.
[[nodiscard]] int run_bench_serve(const Arguments& arguments);

}  // namespace forge::cli
