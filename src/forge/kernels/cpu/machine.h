// What the CPU and the operating system offer.
#pragma once

#include <string_view>
#include <vector>

#include "forge/kernels/cpu/isa.h"

namespace forge::kernels::cpu {

/// Whether this machine can run a level: all its instructions, and registers that the operating
/// system saves (XCR0; for AMX also Linux's permission, which is asked for here).
[[nodiscard]] bool machine_has(IsaLevel level);

/// What it lacks for that, by the names that /proc/cpuinfo and manuals have; empty where it can run
/// the level.
[[nodiscard]] std::vector<std::string_view> missing_features(IsaLevel level);

}  // namespace forge::kernels::cpu
