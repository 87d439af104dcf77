// Which calls have news, told by the engine's thread to the one that reads them.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace forge::server::batch {

/// Numbers of calls, each once however many of its requests have news. Any thread adds, one takes.
class ReadyCalls {
 public:
  void add(int64_t number) {
    {
      const std::lock_guard lock(mutex_);
      numbers_.push_back(number);
    }
    is_there_.notify_one();
  }

  /// Waits until there is one, but not for longer than this, and takes all.
  [[nodiscard]] std::vector<int64_t> take(std::chrono::milliseconds timeout) {
    std::vector<int64_t> numbers;
    {
      std::unique_lock lock(mutex_);
      is_there_.wait_for(lock, timeout, [this] { return !numbers_.empty(); });
      numbers = std::exchange(numbers_, {});
    }
    std::sort(numbers.begin(), numbers.end());
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    return numbers;
  }

 private:
  std::mutex mutex_;
  std::condition_variable is_there_;
  std::vector<int64_t> numbers_;
};

}  // namespace forge::server::batch
