// The time of day as a number.
#pragma once

#include <chrono>
#include <cstdint>

namespace forge {

[[nodiscard]] inline int64_t seconds_since_1970() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

}  // namespace forge
