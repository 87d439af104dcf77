// Trusts: closed forms, and the rules of Prometheus's text format written out here.
#include "forge/server/metrics/metric.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <thread>
#include <vector>

#include "forge/server/metrics/exposition.h"

namespace forge::server {
namespace {

TEST(Histogram, BoundsAreInclusive) {
  Histogram histogram({1.0, 2.0, 5.0});
  for (const double value : {0.0, 1.0, 1.0000001, 2.0, 5.0, 5.1, 1e9}) histogram.observe(value);
  const Histogram::Snapshot snapshot = histogram.snapshot();
  EXPECT_EQ(snapshot.counts, (std::vector<uint64_t>{2, 2, 1, 2}));
  EXPECT_DOUBLE_EQ(snapshot.sum, 1e9 + 14.1000001);
}

TEST(Metrics, NothingIsLostAmongThreads) {
  constexpr int kThreads = 4;
  constexpr int kTimes = 20000;
  Counter counter;
  Gauge gauge;
  Histogram histogram({0.5, 1.5});
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kTimes; ++i) {
        counter.add(2);
        gauge.add(t % 2 == 0 ? 3 : -3);
        histogram.observe(t);
      }
    });
  }
  // A reader meanwhile sees counts that only grow.
  uint64_t last = 0;
  for (int i = 0; i < 100; ++i) {
    const auto counts = histogram.snapshot().counts;
    const uint64_t n = std::accumulate(counts.begin(), counts.end(), uint64_t{0});
    EXPECT_GE(n, last);
    last = n;
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter.value(), 2u * kThreads * kTimes);
  EXPECT_EQ(gauge.value(), 0);
  const Histogram::Snapshot snapshot = histogram.snapshot();
  EXPECT_EQ(snapshot.counts, (std::vector<uint64_t>{kTimes, kTimes, 2 * kTimes}));
  EXPECT_DOUBLE_EQ(snapshot.sum, kTimes * (0.0 + 1 + 2 + 3));  // whole numbers: exact in any order
}

TEST(Exposition, FamiliesAsTheFormatHasThem) {
  Exposition out;
  out.counter("a_total", "Counts.", 3);
  out.family("b", Exposition::Type::kGauge, "Two\nlines, a \\ and a \".")
      .sample(-0.25, {{"x", "plain"}, {"y", "a \"quote\", a \\ and a\nline"}})
      .sample(INFINITY, {{"x", ""}, {"y", "\xC3\xBC"}});
  EXPECT_EQ(out.text(),
            "# HELP a_total Counts.\n"
            "# TYPE a_total counter\n"
            "a_total 3\n"
            "# HELP b Two\\nlines, a \\\\ and a \".\n"
            "# TYPE b gauge\n"
            "b{x=\"plain\",y=\"a \\\"quote\\\", a \\\\ and a\\nline\"} -0.25\n"
            "b{x=\"\",y=\"\xC3\xBC\"} +Inf\n");
}

TEST(Exposition, BucketsAreCumulative) {
  Histogram histogram({0.001, 2.5});
  for (const double value : {0.0005, 1.0, 2.0, 100.0}) histogram.observe(value);
  Exposition out;
  out.histogram("t_seconds", "Times.", histogram);
  EXPECT_EQ(out.text(),
            "# HELP t_seconds Times.\n"
            "# TYPE t_seconds histogram\n"
            "t_seconds_bucket{le=\"0.001\"} 1\n"
            "t_seconds_bucket{le=\"2.5\"} 3\n"
            "t_seconds_bucket{le=\"+Inf\"} 4\n"
            "t_seconds_sum 103.0005\n"
            "t_seconds_count 4\n");
}

TEST(Exposition, LargeCountsAreExact) {
  Exposition out;
  out.counter("n_total", "N.", static_cast<double>(uint64_t{1} << 53));
  EXPECT_NE(out.text().find("n_total 9007199254740992\n"), std::string::npos) << out.text();
}

}  // namespace
}  // namespace forge::server
