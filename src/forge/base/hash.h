// A fast hash of bytes: for finding damage and for keys, not against an attacker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace forge {

/// XXH3, 64 bits, seed 0 (xxhash.com): the same value on every machine, at about the speed of
/// memory.
[[nodiscard]] uint64_t hash64(std::span<const std::byte> bytes);

}  // namespace forge
