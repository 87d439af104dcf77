// Random numbers as a pure function of (seed, position): nothing to carry along, nothing to replay.
#pragma once

#include <array>
#include <cstdint>

namespace forge::engine {

/// The Philox4x32-10 block function: 128 random bits from a 128-bit counter and a 64-bit key.
/// Source: Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3",
/// section 3.3.
[[nodiscard]] constexpr std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter,
                                                           std::array<uint32_t, 2> key) {
  constexpr uint64_t kMultiplier0 =
      0xD2511F53u;  // multipliers and Weyl steps: table 2 of the paper
  constexpr uint64_t kMultiplier1 = 0xCD9E8D57u;
  constexpr uint32_t kWeyl0 = 0x9E3779B9u;
  constexpr uint32_t kWeyl1 = 0xBB67AE85u;
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t product0 = kMultiplier0 * counter[0];
    const uint64_t product1 = kMultiplier1 * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<uint32_t>(product0)};
    key = {key[0] + kWeyl0, key[1] + kWeyl1};
  }
  return counter;
}

/// A number strictly between 0 and 1, evenly spaced by 2^-52, for the token at a position of a
/// sequence. The same seed and position always give the same number; different pairs are
/// independent.
[[nodiscard]] constexpr double uniform_at(uint64_t seed, uint64_t position) {
  const std::array<uint32_t, 4> bits =
      philox4x32({static_cast<uint32_t>(position), static_cast<uint32_t>(position >> 32), 0, 0},
                 {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
  const uint64_t mantissa = ((static_cast<uint64_t>(bits[0]) << 32) | bits[1]) >> 12;
  // 52 bits and a half are exact in a double, so neither 0 nor 1 can come out.
  return (static_cast<double>(mantissa) + 0.5) * 0x1.0p-52;
}

}  // namespace forge::engine
