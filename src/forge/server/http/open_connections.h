// How many connections are open, for those who wait until none is.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace forge::server::http {

/// A counter. Any thread.
class OpenConnections {
 public:
  void add() {
    const std::lock_guard lock(mutex_);
    ++n_;
  }
  void remove() {
    const std::lock_guard lock(mutex_);
    if (--n_ == 0) none_.notify_all();
  }
  [[nodiscard]] int32_t count() const {
    const std::lock_guard lock(mutex_);
    return n_;
  }
  /// False: the time ran out before the count was 0.
  [[nodiscard]] bool wait_until_none(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    return none_.wait_for(lock, timeout, [this] { return n_ == 0; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable none_;
  int32_t n_ = 0;
};

}  // namespace forge::server::http
