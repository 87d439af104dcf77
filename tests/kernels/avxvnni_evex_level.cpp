// The quantised products of level avxvnni with the int8 dot of AVX-512 (the same operation, another
// encoding), compiled with that level's other flags (levels.cmake); for emulated_levels_test.cpp.
#ifdef FORGE_EVEX_VNNI

#include "forge/kernels/cpu/level/matmul_int8.h"

namespace forge::kernels::cpu::FORGE_LEVEL {

extern const MatmulFn kMatmuls[kDTypeCount];
const MatmulFn kMatmuls[kDTypeCount] = {
    // In the order of DType.
    nullptr,
    nullptr,
    nullptr,
    matmul<DType::kQ4_0>,
    matmul<DType::kQ4_1>,
    matmul<DType::kQ5_0>,
    matmul<DType::kQ5_1>,
    matmul<DType::kQ8_0>,
    matmul<DType::kQ2_K>,
    matmul<DType::kQ3_K>,
    matmul<DType::kQ4_K>,
    matmul<DType::kQ5_K>,
    matmul<DType::kQ6_K>,
    matmul<DType::kQ8_K>,
    matmul<DType::kIQ4_NL>,
    matmul<DType::kIQ4_XS>,
    matmul<DType::kMXFP4>,
};
static_assert(kDTypeCount == static_cast<int>(DType::kMXFP4) + 1);

}  // namespace forge::kernels::cpu::FORGE_LEVEL

#endif
