// Trusts counting, plain variables under ThreadSanitizer (preset tsan), and the clock with wide
// margins.
#include "forge/base/thread_team.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include "forge/base/cpu_count.h"
#include "forge/base/work_ranges.h"

namespace forge {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

class ThreadTeamTest : public testing::TestWithParam<int> {};

TEST_P(ThreadTeamTest, EveryWorkerRunsOnceOnItsOwnThread) {
  const int n = GetParam();
  ThreadTeam team(n);
  ASSERT_EQ(team.n_threads(), n);
  std::vector<std::thread::id> first(static_cast<size_t>(n));
  for (int round = 0; round < 200; ++round) {
    // Plain integers: two workers with one number would be a race, which TSan reports.
    std::vector<int> calls(static_cast<size_t>(n), 0);
    std::vector<std::thread::id> ids(static_cast<size_t>(n));
    team.run([&](int worker) {
      ++calls[static_cast<size_t>(worker)];
      ids[static_cast<size_t>(worker)] = std::this_thread::get_id();
    });
    ASSERT_EQ(std::ranges::count(calls, 1), n);
    EXPECT_EQ(ids[0], std::this_thread::get_id()) << "the caller is worker 0";
    if (round == 0) first = ids;
    EXPECT_EQ(ids, first);
    std::ranges::sort(ids);
    EXPECT_EQ(std::ranges::adjacent_find(ids), ids.end());
  }
}

// Each stage reads what the neighbour wrote in the stage before: one missed meeting gives a wrong
// sum.
TEST_P(ThreadTeamTest, WhatIsWrittenBeforeABarrierIsReadAfterIt) {
  const auto n = static_cast<size_t>(GetParam());
  ThreadTeam team(GetParam());
  std::vector<int64_t> values(n);
  std::iota(values.begin(), values.end(), 0);
  std::vector<int64_t> sums(n, 0);
  const int n_stages = GetParam() > 4 ? 200 : 2000;
  for (int round = 0; round < 5; ++round) {
    team.run([&](int worker) {
      const auto w = static_cast<size_t>(worker);
      for (int stage = 0; stage < n_stages; ++stage) {
        const int64_t read = values[(w + 1) % n];
        team.barrier(worker);
        values[w] = read + 1;
        sums[w] += read;
        team.barrier(worker);
      }
    });
  }
  for (size_t w = 0; w < n; ++w) {
    int64_t expected = 0;
    for (size_t stage = 0; stage < 5u * static_cast<size_t>(n_stages); ++stage) {
      expected += static_cast<int64_t>((w + 1 + stage) % n + stage);
    }
    EXPECT_EQ(sums[w], expected) << w;
  }
}

// Pauses of many lengths, so that workers are met spinning, falling asleep and asleep.
TEST_P(ThreadTeamTest, NoWakeUpIsLostBetweenSpinningAndSleeping) {
  const int n = GetParam();
  ThreadTeam team(n);
  std::vector<int> passed(static_cast<size_t>(n), 0);
  for (int round = 0; round < 100; ++round) {
    const auto pause = std::chrono::microseconds(round * 3);
    const auto busy_wait = [&] {
      for (const auto end = Clock::now() + pause; Clock::now() < end;) {
      }
    };
    busy_wait();
    team.run([&](int worker) {
      if (worker == round % n) busy_wait();
      team.barrier(worker);
      if (worker == (round + 1) % n) std::this_thread::sleep_for(pause);
      team.barrier(worker);
      ++passed[static_cast<size_t>(worker)];
    });
  }
  EXPECT_EQ(std::ranges::count(passed, 100), n);
}

TEST_P(ThreadTeamTest, StartsAndStopsWithoutWork) {
  for (int i = 0; i < 30; ++i) ThreadTeam team(GetParam());
  auto slept = std::make_unique<ThreadTeam>(GetParam());
  std::this_thread::sleep_for(milliseconds(5));
  slept.reset();
}

// 17 and 40 have clusters of their own, the last one smaller.
INSTANTIATE_TEST_SUITE_P(Threads, ThreadTeamTest, testing::Values(1, 2, 3, 4, 17, 40));

TEST(ThreadTeam, OwnersDoNotKnowOfEachOther) {
  std::vector<std::thread> owners;
  std::atomic<int> total{0};
  for (int o = 0; o < 3; ++o) {
    owners.emplace_back([&] {
      ThreadTeam team(2);
      for (int round = 0; round < 100; ++round) {
        team.run([&](int worker) {
          team.barrier(worker);
          ++total;
        });
      }
    });
  }
  for (std::thread& owner : owners) owner.join();
  EXPECT_EQ(total, 3 * 100 * 2);
}

TEST(ThreadTeam, AnIdleTeamSleeps) {
  ThreadTeam team(4);
  team.run([&](int worker) { team.barrier(worker); });
  std::this_thread::sleep_for(milliseconds(20));
  const double before = cpu_seconds();
  std::this_thread::sleep_for(milliseconds(200));
  EXPECT_LT(cpu_seconds() - before, 0.05) << "three spinning threads would use 0.4 s or more";
}

TEST(ThreadTeam, WaitingAtALongBarrierSleeps) {
  ThreadTeam team(3);
  const double before = cpu_seconds();
  team.run([&](int worker) {
    if (worker == 0) std::this_thread::sleep_for(milliseconds(200));
    team.barrier(worker);
  });
  EXPECT_LT(cpu_seconds() - before, 0.05);
}

TEST(ThreadTeam, TimesWaitingOnlyWhenAsked) {
  ThreadTeam team(2);
  const auto step = [&](int worker) {
    if (worker == 0) std::this_thread::sleep_for(milliseconds(20));
    team.barrier(worker);
  };
  team.run(step);
  EXPECT_EQ(team.waited(1).count(), 0);
  team.time_waiting(true);
  team.run(step);
  const auto waited = team.waited(1);
  EXPECT_GE(waited, milliseconds(10));  // the worker may start late, but not that late
  team.time_waiting(false);
  team.run(step);
  EXPECT_EQ(team.waited(1), waited);
}

// The step of a small model: 150 stages of some 20 us each, dealt out in chunks. Median of rounds.
double step_seconds(int n_threads, int n_rounds) {
  constexpr int kStages = 150;
  constexpr int kChunks = 20;
  ThreadTeam team(n_threads);
  WorkRanges ranges(n_threads);
  std::atomic<int64_t> n_done{0};
  std::vector<double> seconds;
  for (int round = 0; round < n_rounds; ++round) {
    const auto start = Clock::now();
    ranges.reset(0, kChunks);
    team.run([&](int worker) {
      int64_t done = 0;
      for (int stage = 0; stage < kStages; ++stage) {
        ranges.reset_own((stage + 1) % 2, worker, kChunks);
        while (ranges.next(stage % 2, worker)) {
          for (int cycle = 0; cycle < 6000; ++cycle) asm volatile("");  // some 2 us
          ++done;
        }
        team.barrier(worker);
      }
      n_done += done;
    });
    seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
  }
  EXPECT_EQ(n_done, int64_t{kStages} * kChunks * n_rounds);
  std::ranges::sort(seconds);
  return seconds[seconds.size() / 2];
}

TEST(ThreadTeam, TwiceTheThreadsDoNotCollapse) {
  const int n_cpus = usable_cpu_count();
  double ratio = 0.0;
  for (int attempt = 0; attempt < 5; ++attempt) {  // others may use the machine meanwhile
    const double right = step_seconds(n_cpus, 20);
    const double twice = step_seconds(2 * n_cpus, 20);
    ratio = twice / right;
    RecordProperty("ratio", std::to_string(ratio));
    if (ratio < 3.0) return;
  }
  FAIL() << "twice as many threads as CPUs took " << ratio << " times as long";
}

TEST(ThreadTeam, ThirdBusyProcessDoesNotCollapseIt) {
  const int n_cpus = usable_cpu_count();
  double ratio = 0.0;
  for (int attempt = 0; attempt < 5; ++attempt) {
    const double alone = step_seconds(n_cpus, 20);
    std::atomic<bool> stop{false};
    std::thread busy([&] {
      while (!stop) {
      }
    });
    const double beside = step_seconds(n_cpus, 60);
    stop = true;
    busy.join();
    ratio = beside / alone;
    RecordProperty("ratio", std::to_string(ratio));
    if (ratio < 3.0) return;
  }
  FAIL() << "beside one busy thread a step took " << ratio << " times as long";
}

TEST(ThreadTeamDeathTest, NoThreads) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(ThreadTeam(0), "n_threads 0");
}

}  // namespace
}  // namespace forge
