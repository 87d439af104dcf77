// The system's limit on open files, which is a limit on connections.
#pragma once

#include <cstdint>

#include "forge/base/result.h"

namespace forge {

/// Raises the process's own limit as far as it may. Fails where that is not enough for n
/// connections and what else a process has open.
[[nodiscard]] Status allow_open_files(int64_t n_connections);

}  // namespace forge
