#include "forge/tensor/level/encode_blocks.h"

namespace forge::FORGE_TENSOR_LEVEL {

// Declared in tensor/encode_levels.cpp.
void encode_searched(DType dtype, const float* values, int64_t n, std::byte* out) {
  switch (dtype) {
    case DType::kQ2_K:
      return encode_q2_k(values, n, out);
    case DType::kQ3_K:
      return encode_q3_k(values, n, out);
    case DType::kQ4_K:
      return encode_q4_k(values, n, out);
    case DType::kQ5_K:
      return encode_q5_k(values, n, out);
    case DType::kQ6_K:
      return encode_q6_k(values, n, out);
    case DType::kIQ4_NL:
      return encode_iq4_nl(values, n, out);
    case DType::kIQ4_XS:
      return encode_iq4_xs(values, n, out);
    case DType::kMXFP4:
      return encode_mxfp4(values, n, out);
    default:
      __builtin_trap();  // the caller's switch
  }
}

}  // namespace forge::FORGE_TENSOR_LEVEL
