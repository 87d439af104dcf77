// Waiting for a word that another thread will change: spin for a while, then sleep in the kernel.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace forge {

/// Tells the core that this is a spin loop: 20-60 ns on recent x86 cores.
inline void spin_pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");  // "yield" returns at once on most cores
#endif
}

/// A counter that threads wait on. advance() is for one thread at a time; any number may wait. The
/// lowest bit says that somebody sleeps, so that advance() makes a system call only then.
///
///   bits 31..1: the count, wraps around      bit 0: a waiter sleeps or is about to
class alignas(64) WaitWord {
 public:
  /// The present count; pass it to wait_past().
  [[nodiscard]] uint32_t count() const { return word_.load(std::memory_order_acquire) & ~kSleeper; }

  /// The next count. What was written before is visible to those whose wait ends.
  void advance() {
    const uint32_t old = word_.load(std::memory_order_relaxed);
    // The exchange sees every sleeper's bit set before it; one set later fails, as the count moved.
    if (word_.exchange((old & ~kSleeper) + kStep, std::memory_order_acq_rel) & kSleeper) {
      word_.notify_all();
    }
  }

  /// Returns when the count is no longer `seen`: true where spinning for at most `spin` was enough,
  /// false where the thread slept.
  bool wait_past(uint32_t seen, std::chrono::nanoseconds spin) {
    // A barrier among running threads ends within this many pauses, without reading a clock.
    for (int i = 0; i < kPausesPerClock; ++i) {
      if (count() != seen) return true;
      spin_pause();
    }
    const auto deadline = std::chrono::steady_clock::now() + spin;
    do {
      for (int i = 0; i < kPausesPerClock; ++i) {
        if (count() != seen) return true;
        spin_pause();
      }
    } while (std::chrono::steady_clock::now() < deadline);
    sleep_past(seen);
    return false;
  }

 private:
  static constexpr uint32_t kSleeper = 1;
  static constexpr uint32_t kStep = 2;
  static constexpr int kPausesPerClock = 32;  // 0.5-2 us, twenty times the reading of the clock

  void sleep_past(uint32_t seen) {
    uint32_t now = seen;
    // Sets the bit, or finds it set, or finds the count moved.
    word_.compare_exchange_strong(now, seen | kSleeper, std::memory_order_acquire);
    while (count() == seen) word_.wait(seen | kSleeper, std::memory_order_acquire);
  }

  std::atomic<uint32_t> word_{0};
};

}  // namespace forge
