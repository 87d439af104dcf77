// What device code this binary holds.
#pragma once

#include <cstdint>
#include <string>

namespace forge::kernels::cuda {

/// Whether some of it runs on this compute capability: machine code of the same major version and
/// no newer minor one, or PTX, which the driver compiles, of this or an older version. By CUDA's
/// rules; whether a device takes it, probe_kernel() shows.
[[nodiscard]] bool has_code_for(int32_t compute_capability);

/// A kernel that does nothing, compiled as all others are.
[[nodiscard]] const void* probe_kernel();

}  // namespace forge::kernels::cuda
