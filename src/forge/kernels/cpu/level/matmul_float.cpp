// Compiled once per ISA level: F32, F16, BF16.
#include "forge/kernels/cpu/level/matmul_float.h"
#include "forge/kernels/cpu/level/entries.h"

namespace forge::kernels::cpu::FORGE_LEVEL {

template <>
void matmul<DType::kF32>(const MatmulTask& task) {
  matmul_f32(task);
}
template <>
void matmul<DType::kF16>(const MatmulTask& task) {
  matmul_f16(task);
}
template <>
void matmul<DType::kBF16>(const MatmulTask& task) {
  matmul_bf16(task);
}

}  // namespace forge::kernels::cpu::FORGE_LEVEL
