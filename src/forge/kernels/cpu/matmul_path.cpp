#include "forge/kernels/cpu/matmul_path.h"

#include "forge/kernels/cpu/packed_format.h"

namespace forge::kernels::cpu {
namespace {

// "fused": unpacked in registers and multiplied at once; "expanded": unpacked to L2 first.
MatmulPath int8_path(IsaLevel level) {
  switch (level) {
    case IsaLevel::kScalar:
      return {"plain C++, fused", "plain C++, expanded", false};
    case IsaLevel::kAvx2:
    case IsaLevel::kNeon:
      return {"int8 products widened to int16, fused", "int8 products widened to int16, expanded",
              true};
    case IsaLevel::kAmx:
      return {"int8 dot, fused", "int8 tiles", true};
    case IsaLevel::kAvxVnni:
    case IsaLevel::kAvx512:
    case IsaLevel::kAvx512Bf16:
    case IsaLevel::kDotprod:
    case IsaLevel::kI8mm:
      break;
  }
  return {"int8 dot, fused", "int8 dot, expanded", true};
}

MatmulPath bf16_path(IsaLevel level) {
  switch (level) {
    case IsaLevel::kScalar:
      return {"plain C++", "plain C++", false};
    case IsaLevel::kAvx512Bf16:
    case IsaLevel::kAmx:
    case IsaLevel::kI8mm:
      return {"bf16 dot", "bf16 dot", true};
    case IsaLevel::kAvx2:
    case IsaLevel::kAvxVnni:
    case IsaLevel::kAvx512:
    case IsaLevel::kNeon:
    case IsaLevel::kDotprod:
      break;
  }
  return {"bf16 widened, f32 FMA", "bf16 widened, f32 FMA", true};
}

}  // namespace

MatmulPath matmul_path(IsaLevel level, DType dtype) {
  if (!is_float(dtype)) return int8_path(level);
  if (dtype == DType::kBF16) return bf16_path(level);
  if (level == IsaLevel::kScalar) return {"plain C++", "plain C++", false};
  if (dtype == DType::kF32) return {"f32 FMA", "f32 FMA", true};
  return {"f16 widened, f32 FMA, fused", "f16 widened, f32 FMA, expanded", true};
}

}  // namespace forge::kernels::cpu
