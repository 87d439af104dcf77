// How tests wait for what other threads and processes do.
#pragma once

#include <chrono>
#include <thread>

namespace forge {

/// Until something that comes at once counts as never: machines stall.
inline constexpr std::chrono::seconds kPatience{60};

/// Waits until the condition holds, at most kPatience.
template <typename Condition>
[[nodiscard]] bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace forge
