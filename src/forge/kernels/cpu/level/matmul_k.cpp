// Compiled once per ISA level: super-blocks of 256.
#include "forge/kernels/cpu/level/matmul_int8.h"

namespace forge::kernels::cpu::FORGE_LEVEL {

template void matmul<DType::kQ2_K>(const MatmulTask&);
template void matmul<DType::kQ3_K>(const MatmulTask&);
template void matmul<DType::kQ4_K>(const MatmulTask&);
template void matmul<DType::kQ5_K>(const MatmulTask&);
template void matmul<DType::kQ6_K>(const MatmulTask&);
template void matmul<DType::kQ8_K>(const MatmulTask&);
template void matmul<DType::kIQ4_XS>(const MatmulTask&);

}  // namespace forge::kernels::cpu::FORGE_LEVEL
