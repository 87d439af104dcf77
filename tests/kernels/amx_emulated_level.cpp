// The quantised products of level amx with its tiles as plain C++, compiled with that level's other
// flags (levels.cmake); for emulated_levels_test.cpp.
#ifdef FORGE_AMX_EMULATED

#include "forge/kernels/cpu/level/matmul_amx.h"

namespace forge::kernels::cpu::FORGE_LEVEL {

extern const MatmulFn kTiledLoops[kDTypeCount];
const MatmulFn kTiledLoops[kDTypeCount] = {
    // In the order of DType.
    nullptr,
    nullptr,
    nullptr,
    tiled_loop<DType::kQ4_0>,
    tiled_loop<DType::kQ4_1>,
    tiled_loop<DType::kQ5_0>,
    tiled_loop<DType::kQ5_1>,
    tiled_loop<DType::kQ8_0>,
    tiled_loop<DType::kQ2_K>,
    tiled_loop<DType::kQ3_K>,
    tiled_loop<DType::kQ4_K>,
    tiled_loop<DType::kQ5_K>,
    tiled_loop<DType::kQ6_K>,
    tiled_loop<DType::kQ8_K>,
    tiled_loop<DType::kIQ4_NL>,
    tiled_loop<DType::kIQ4_XS>,
    tiled_loop<DType::kMXFP4>,
};
static_assert(kDTypeCount == static_cast<int>(DType::kMXFP4) + 1);

}  // namespace forge::kernels::cpu::FORGE_LEVEL

#endif
