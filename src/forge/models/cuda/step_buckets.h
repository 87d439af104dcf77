// Sizes for which steps are recorded.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace forge::models::cuda {

/// The smallest recorded size that holds n tokens: each is at most half as large again as the one
/// before.
[[nodiscard]] constexpr int32_t token_bucket(int32_t n, int32_t most) {
  if (n <= 4) return n;
  const auto power = static_cast<int32_t>(std::bit_floor(static_cast<uint32_t>(n - 1)));
  // Large batches in finer steps: padding costs them more than a graph more.
  const int32_t step = std::min(power / 2, 32);
  return std::min((n + step - 1) / step * step, most);
}

/// The same for the length of the longest sequence: it bounds grids only, and what is beyond a
/// sequence's end costs a block that looks and leaves.
[[nodiscard]] constexpr int32_t length_bucket(int32_t n, int32_t most) {
  constexpr uint32_t kLeast = 256;
  return std::min(static_cast<int32_t>(std::max(std::bit_ceil(static_cast<uint32_t>(n)), kLeast)),
                  most);
}

}  // namespace forge::models::cuda
