// Compiled once per ISA level: blocks of 32 with one scale.
#include "forge/kernels/cpu/level/matmul_int8.h"

namespace forge::kernels::cpu::FORGE_LEVEL {

template void matmul<DType::kQ4_0>(const MatmulTask&);
template void matmul<DType::kQ4_1>(const MatmulTask&);
template void matmul<DType::kQ5_0>(const MatmulTask&);
template void matmul<DType::kQ5_1>(const MatmulTask&);
template void matmul<DType::kQ8_0>(const MatmulTask&);
template void matmul<DType::kIQ4_NL>(const MatmulTask&);
template void matmul<DType::kMXFP4>(const MatmulTask&);

}  // namespace forge::kernels::cpu::FORGE_LEVEL
