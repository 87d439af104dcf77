// Looking for values that are no numbers, at the speed of reading memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "forge/tensor/dtype.h"

namespace forge::convert {

/// The first of n_blocks blocks (of a plain type: elements) that holds NaN or infinity or decodes
/// to one, or -1. Of quantised blocks only the scales are read, since finite ones give finite
/// values whatever the codes are. data may have any alignment.
[[nodiscard]] int64_t first_bad_block(DType dtype, const std::byte* data, int64_t n_blocks);

}  // namespace forge::convert
