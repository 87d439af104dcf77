// Trusts counting: each index is visited exactly once. Run it under ThreadSanitizer too (preset
// tsan).
#include "forge/base/thread_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>
#include <numeric>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace forge {
namespace {

class ThreadPoolTest : public testing::TestWithParam<int> {};

TEST_P(ThreadPoolTest, CoversEachIndexOnce) {
  ThreadPool pool(GetParam());
  EXPECT_EQ(pool.n_threads(), GetParam());
  for (const int64_t count : {0, 1, 2, 7, 64, 1000}) {
    for (const int64_t grain : {1, 2, 3, 64, 5000}) {
      // Plain integers: two visits of one index would be a race, which TSan reports.
      std::vector<int> visits(static_cast<size_t>(count), 0);
      pool.parallel_for(count, grain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) ++visits[static_cast<size_t>(i)];
      });
      EXPECT_TRUE(std::ranges::all_of(visits, [](int n) { return n == 1; }))
          << count << " " << grain;
    }
  }
}

TEST_P(ThreadPoolTest, RangesStartAtMultiplesOfGrain) {
  ThreadPool pool(GetParam());
  std::mutex mutex;
  std::vector<std::pair<int64_t, int64_t>> ranges;
  pool.parallel_for(103, 10, [&](int64_t begin, int64_t end) {
    const std::lock_guard lock(mutex);
    ranges.emplace_back(begin, end);
  });
  std::ranges::sort(ranges);
  int64_t next = 0;
  for (const auto& [begin, end] : ranges) {
    EXPECT_EQ(begin, next);
    EXPECT_TRUE((end - begin) % 10 == 0 || end == 103);
    EXPECT_LT(begin, end);
    next = end;
  }
  EXPECT_EQ(next, 103);
}

// Loops so short that workers are still waking when the next one starts.
TEST_P(ThreadPoolTest, ManySmallLoops) {
  ThreadPool pool(GetParam());
  int64_t total = 0;
  std::vector<int64_t> parts(16);
  for (int round = 0; round < 3000; ++round) {
    const int64_t count = 1 + round % 16;
    pool.parallel_for(count, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) parts[static_cast<size_t>(i)] = round + i;
    });
    // What the workers wrote is visible here without further synchronisation.
    total = std::accumulate(parts.begin(), parts.begin() + count, total);
  }
  int64_t expected = 0;
  for (int64_t round = 0; round < 3000; ++round) {
    for (int64_t i = 0; i < 1 + round % 16; ++i) expected += round + i;
  }
  EXPECT_EQ(total, expected);
}

TEST_P(ThreadPoolTest, StartsAndStopsWithoutWork) {
  for (int i = 0; i < 50; ++i) ThreadPool pool(GetParam());
  ThreadPool pool(GetParam());
  pool.parallel_for(0, 1, [](int64_t, int64_t) { FAIL() << "an empty loop has no range"; });
  pool.parallel_for(-5, 1, [](int64_t, int64_t) { FAIL() << "an empty loop has no range"; });
}

INSTANTIATE_TEST_SUITE_P(Threads, ThreadPoolTest, testing::Range(1, 9));

// All threads take part: each waits inside the body until every other has arrived.
TEST(ThreadPool, RunsOnAllThreads) {
  constexpr int kThreads = 4;
  ThreadPool pool(kThreads);
  std::atomic<int> arrived{0};
  std::mutex mutex;
  std::set<std::thread::id> ids;
  pool.parallel_for(kThreads, 1, [&](int64_t, int64_t) {
    ++arrived;
    while (arrived < kThreads) std::this_thread::yield();
    const std::lock_guard lock(mutex);
    ids.insert(std::this_thread::get_id());
  });
  EXPECT_EQ(ids.size(), static_cast<size_t>(kThreads));
  EXPECT_TRUE(ids.contains(std::this_thread::get_id())) << "the caller is one of them";
}

// One pool per owner thread; pools do not know of each other.
TEST(ThreadPool, PoolsOfSeveralOwners) {
  std::vector<std::thread> owners;
  std::atomic<int64_t> total{0};
  for (int o = 0; o < 3; ++o) {
    owners.emplace_back([&] {
      ThreadPool pool(2);
      for (int round = 0; round < 200; ++round) {
        pool.parallel_for(10, 3, [&](int64_t begin, int64_t end) { total += end - begin; });
      }
    });
  }
  for (std::thread& owner : owners) owner.join();
  EXPECT_EQ(total, 3 * 200 * 10);
}

TEST(ThreadPool, HugeGrainIsOneRange) {
  ThreadPool pool(3);
  int64_t calls = 0;
  pool.parallel_for(100, std::numeric_limits<int64_t>::max(), [&](int64_t begin, int64_t end) {
    EXPECT_EQ(begin, 0);
    EXPECT_EQ(end, 100);
    ++calls;
  });
  EXPECT_EQ(calls, 1);
}

TEST(ThreadPoolDeathTest, NoThreadsOrGrain) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(ThreadPool(0), "n_threads 0");
  EXPECT_DEATH(ThreadPool(1).parallel_for(5, 0, [](int64_t, int64_t) {}), "grain 0");
}

}  // namespace
}  // namespace forge
