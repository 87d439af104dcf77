#include "forge/base/hash.h"

// All of the library is in its header then; only this file sees it.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace forge {

uint64_t hash64(std::span<const std::byte> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace forge
