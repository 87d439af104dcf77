// A copy inside the KV cache.
#pragma once

#include <cstdint>

namespace forge::cache {

/// The content of a block, all layers, to be copied to another one.
struct BlockCopy {
  int32_t from = 0;
  int32_t to = 0;
};

}  // namespace forge::cache
