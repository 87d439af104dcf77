#include "forge/hub/retry.h"

#include <algorithm>
#include <random>

namespace forge::hub {

std::optional<std::chrono::milliseconds> Retry::after(const Fault& fault) {
  ++n_failures_;
  if (!fault.may_pass() || n_failures_ >= policy_.attempts) return std::nullopt;
  if (fault.retry_after_s > static_cast<double>(policy_.longest_wanted.count())) {
    return std::nullopt;
  }
  auto delay = policy_.first_delay * (int64_t{1} << std::min(n_failures_ - 1, 20));
  delay = std::min(delay, policy_.longest_delay);
  // Many clients that were cut off together must not come back together.
  static thread_local std::minstd_rand random{std::random_device{}()};
  delay += std::chrono::milliseconds(
      std::uniform_int_distribution<int64_t>(0, delay.count() / 2)(random));
  if (fault.retry_after_s > 0) {
    const auto wanted = static_cast<int64_t>(fault.retry_after_s * 1e3);
    delay = std::max(delay, std::chrono::milliseconds(wanted));
  }
  return delay;
}

}  // namespace forge::hub
