// A stage number that threads wait on: they spin for a while, then sleep in the kernel.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace forge {

/// Tells the core that this is a spin loop: 10-60 ns.
inline void spin_pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");  // "yield" returns at once on most cores
#endif
}

/// The number of the stage that is running; counts on for ever, wraps around after 2^31 and so
/// compares by difference. One thread at a time sets it, any number wait.
///
///   bits 31..1: the number      bit 0: a waiter sleeps or is about to, so set() must wake it
class alignas(64) StageWord {
 public:
  static constexpr uint32_t kMask = 0x7FFFFFFF;

  [[nodiscard]] bool is_past(uint32_t stage) const {
    return is_past(word_.load(std::memory_order_acquire), stage);
  }

  /// What was written before is visible to those whose wait this ends.
  void set(uint32_t stage) {
    // A sleeper's bit is either in what the exchange replaces, or its owner sees the new number.
    if ((word_.exchange(stage << 1, std::memory_order_acq_rel) & kSleeper) != 0) {
      word_.notify_all();
    }
  }

  /// Spins until the number is past `stage`: false where that took longer than `bound`.
  [[nodiscard]] bool spin_past(uint32_t stage, std::chrono::nanoseconds bound) const {
    // Threads that run meet within this many pauses, without reading a clock.
    if (pause_until_past(stage)) return true;
    const auto deadline = std::chrono::steady_clock::now() + bound;
    do {
      if (pause_until_past(stage)) return true;
    } while (std::chrono::steady_clock::now() < deadline);
    return false;
  }

  /// Sleeps until the number is past `stage`.
  void sleep_past(uint32_t stage) {
    uint32_t word = word_.load(std::memory_order_acquire);
    while (!is_past(word, stage)) {
      if ((word & kSleeper) == 0 &&
          !word_.compare_exchange_weak(word, word | kSleeper, std::memory_order_acquire)) {
        continue;
      }
      word_.wait(word | kSleeper, std::memory_order_acquire);
      word = word_.load(std::memory_order_acquire);
    }
  }

 private:
  static constexpr uint32_t kSleeper = 1;
  static constexpr int kPausesPerClock = 32;  // 0.5-2 us: twenty times the reading of the clock

  static bool is_past(uint32_t word, uint32_t stage) {
    return static_cast<int32_t>((word & ~kSleeper) - (stage << 1)) > 0;
  }

  [[nodiscard]] bool pause_until_past(uint32_t stage) const {
    for (int i = 0; i < kPausesPerClock; ++i) {
      if (is_past(stage)) return true;
      spin_pause();
    }
    return false;
  }

  std::atomic<uint32_t> word_{0};
};

}  // namespace forge
