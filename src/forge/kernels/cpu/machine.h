// What the CPU and the operating system offer.
#pragma once

#include "forge/kernels/cpu/isa.h"

namespace forge::kernels::cpu {

/// Whether this machine can run a level: all its instructions, and registers that the operating
/// system saves (XCR0; for AMX also Linux's permission, which is asked for here).
[[nodiscard]] bool machine_has(IsaLevel level);

}  // namespace forge::kernels::cpu
