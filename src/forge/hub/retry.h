// When to try again.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "forge/hub/fault.h"
#include "forge/hub/settings.h"

namespace forge::hub {

/// Failures in a row of one task. Exponential back-off with jitter, or as long as the server asks
/// where that is longer.
class Retry {
 public:
  explicit Retry(const RetryPolicy& policy) : policy_(policy) {}

  /// How long to wait after this failure; nothing where it is time to give up: the attempts are
  /// used up, the fault does not pass, or the server asks for more patience than we have.
  [[nodiscard]] std::optional<std::chrono::milliseconds> after(const Fault& fault);
  /// Something came through.
  void succeed() { n_failures_ = 0; }
  [[nodiscard]] int32_t n_failures() const { return n_failures_; }

 private:
  RetryPolicy policy_;
  int32_t n_failures_ = 0;
};

}  // namespace forge::hub
