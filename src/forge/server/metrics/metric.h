// Numbers that many threads update and one now and then reads: counters, gauges, histograms.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace forge::server {

/// Only ever grows. Any thread, without locks.
class Counter {
 public:
  void add(uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  [[nodiscard]] uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

/// Goes up and down. Any thread, without locks.
class Gauge {
 public:
  void add(int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  [[nodiscard]] int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

/// How many observations lie at or below each of some bounds, and their sum. Any thread, without
/// locks; a snapshot that is taken meanwhile may have the last observations in its counts and not
/// yet in its sum.
class Histogram {
 public:
  /// Ascending; one more bucket takes what is above the last.
  explicit Histogram(std::vector<double> bounds);

  void observe(double value);

  struct Snapshot {
    std::vector<uint64_t> counts;  // of each bucket alone, bounds().size() + 1 of them
    double sum = 0.0;
  };
  [[nodiscard]] Snapshot snapshot() const;
  [[nodiscard]] std::span<const double> bounds() const { return bounds_; }

 private:
  const std::vector<double> bounds_;
  const std::unique_ptr<std::atomic<uint64_t>[]> counts_;
  std::atomic<double> sum_{0.0};
};

}  // namespace forge::server
