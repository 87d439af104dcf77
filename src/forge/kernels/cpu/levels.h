// The kernels of each ISA level that this program was built with.
#pragma once

#include "forge/kernels/cpu/isa.h"
#include "forge/kernels/cpu/kernel_table.h"

namespace forge::kernels::cpu {

/// The kernels of a built level. Running them on a machine that is_supported() denies is an illegal
/// instruction.
[[nodiscard]] const KernelTable& kernels_of(IsaLevel level);

}  // namespace forge::kernels::cpu
