#include "forge/models/cpu/weight_type.h"

#include "forge/kernels/cpu/packed_format.h"

namespace forge::models::cpu {
namespace {

DType stand_in(DType wanted) {
  switch (wanted) {
    case DType::kQ2_K:
    case DType::kQ3_K:
    case DType::kIQ4_XS:
      return DType::kIQ4_NL;
    case DType::kQ4_K:
      return DType::kQ5_0;
    case DType::kQ5_K:
      return DType::kQ5_1;
    case DType::kQ6_K:
    case DType::kQ8_K:
      return DType::kQ8_0;
    default:
      return wanted;
  }
}

}  // namespace

DType packed_type(DType own, int64_t k, std::optional<DType> quantize) {
  if (!quantize || !kernels::cpu::is_float(own)) return own;
  if (k % info(*quantize).block_len == 0) return *quantize;
  const DType other = stand_in(*quantize);
  return k % info(other).block_len == 0 ? other : own;
}

}  // namespace forge::models::cpu
