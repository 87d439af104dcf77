// Hashes for the tokenizers' tables. Not for hostile keys' worst case: tables stay at most half
// full and probe linearly, so that a collision costs time, never correctness.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace forge::text {

/// Mixes 64 bits. Source: the finaliser of MurmurHash3.
[[nodiscard]] inline uint64_t mix_bits(uint64_t x) {
  x ^= x >> 33;
  x *= 0xFF51AFD7ED558CCDULL;
  x ^= x >> 33;
  x *= 0xC4CEB9FE1A85EC53ULL;
  x ^= x >> 33;
  return x;
}

[[nodiscard]] inline uint64_t hash_bytes(std::string_view bytes) {
  uint64_t hash = 0x9E3779B97F4A7C15ULL ^ bytes.size();
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, 8);
    hash = mix_bits(hash ^ word);
  }
  uint64_t tail = 0;
  if (i < bytes.size()) std::memcpy(&tail, bytes.data() + i, bytes.size() - i);
  return mix_bits(hash ^ tail);
}

}  // namespace forge::text
