// Fork-join parallel loops over index ranges.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace forge {

/// A fixed set of threads; the calling thread is one of them. One parallel_for runs at a time, so a
/// pool belongs to one owner thread. Which thread runs a range never changes what is computed.
class ThreadPool {
 public:
  /// n_threads >= 1 counts the caller: 1 starts no thread.
  explicit ThreadPool(int n_threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  [[nodiscard]] int n_threads() const;

  /// Calls body(begin, end) on disjoint ranges that together cover [0, count), each a multiple of
  /// grain long except the last, and returns when all are done. body must not throw and must not
  /// use the pool itself.
  void parallel_for(int64_t count, int64_t grain,
                    const std::function<void(int64_t begin, int64_t end)>& body);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace forge
