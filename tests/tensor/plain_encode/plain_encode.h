// The encoders as plain loops over one block, written to be read: what those of tensor/level/,
// which take a block per lane, must equal byte for byte.
#pragma once

#include <cstddef>
#include <cstdint>

#include "forge/tensor/dtype.h"

namespace forge::plain {

/// As forge::encode(), for the quantised types.
void encode(DType dtype, const float* values, int64_t n, std::byte* out);

}  // namespace forge::plain
