#include "forge/engine/random_blocks.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include "forge/base/check.h"
#include "forge/engine/random.h"
#include "forge/tensor/encode.h"

namespace forge::engine {
namespace {

constexpr int64_t kTileValues = int64_t{1} << 18;
// Of types without blocks this many values are chosen together.
constexpr int64_t kPlainUnitLen = 32;
constexpr int kPicksPerHash = 4;  // 16 bits each
static_assert(kTileValues / kPlainUnitLen <= 65536);

// Source: Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators", figure 17.
uint64_t mixed(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

}  // namespace

double normal_at(uint64_t seed, uint32_t stream, uint64_t position) {
  const uint64_t pair = position / 2;
  const auto bits =
      philox4x32({static_cast<uint32_t>(pair), static_cast<uint32_t>(pair >> 32), stream, 1},
                 {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
  const double radius = std::sqrt(-2.0 * std::log((bits[0] + 0.5) * 0x1.0p-32));
  const double angle = 2.0 * std::numbers::pi * (bits[1] * 0x1.0p-32);
  return radius * (position % 2 == 0 ? std::cos(angle) : std::sin(angle));
}

RandomBlocks::RandomBlocks(DType dtype, double sigma, uint64_t seed)
    : unit_len_(std::max<int64_t>(info(dtype).block_len, kPlainUnitLen)),
      unit_bytes_(*row_bytes(dtype, unit_len_)),
      seed_(seed),
      n_units_(static_cast<uint64_t>(kTileValues / unit_len_)),
      tile_(static_cast<size_t>(*row_bytes(dtype, kTileValues))) {
  std::vector<float> values(static_cast<size_t>(kTileValues));
  const auto stream = static_cast<uint32_t>(dtype);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(sigma * normal_at(seed, stream, i));
  }
  encode(dtype, values.data(), kTileValues, tile_.data());
}

void RandomBlocks::fill(uint64_t matrix, int64_t first_unit, std::span<std::byte> out) const {
  const auto bytes = static_cast<size_t>(unit_bytes_);
  FORGE_CHECK(out.size() % bytes == 0, "{} bytes, units of {}", out.size(), bytes);
  const uint64_t key = mixed(seed_ + 0x9E3779B97F4A7C15u * (matrix + 1));
  uint64_t hash = 0;
  uint64_t hashed = ~uint64_t{0};
  auto unit = static_cast<uint64_t>(first_unit);
  for (size_t at = 0; at < out.size(); at += bytes, ++unit) {
    if (unit / kPicksPerHash != hashed) {
      hashed = unit / kPicksPerHash;
      hash = mixed(key + 0x9E3779B97F4A7C15u * hashed);
    }
    const uint64_t pick = (hash >> (16 * (unit % kPicksPerHash))) & (n_units_ - 1);
    std::memcpy(out.data() + at, tile_.data() + pick * bytes, bytes);
  }
}

}  // namespace forge::engine
