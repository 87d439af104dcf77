#include "forge/tensor/encode.h"

#include "forge/tensor/encode_levels.h"

namespace forge {

bool can_encode(DType dtype) { return info(dtype).dtype == dtype; }

void encode(DType dtype, const float* values, int64_t n, std::byte* out) {
  encode_at(encode_level(), dtype, values, n, out);
}

}  // namespace forge
