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

// Every stage adds to what the one before has left: a stage that begins early, is left out or runs
// twice for one worker gives a wrong sum. Plain integers: what is not ordered is a race, which TSan
// reports.
TEST_P(ThreadTeamTest, StagesFollowEachOtherAndSeeWhatWasWritten) {
  const int n = GetParam();
  constexpr int32_t kChunks = 12;
  ThreadTeam team(n);
  ASSERT_EQ(team.n_threads(), n);
  WorkRanges ranges(n);
  std::vector<int64_t> values(kChunks);
  std::iota(values.begin(), values.end(), 0);
  std::vector<int64_t> next(kChunks);
  int64_t n_stages_done = 0;
  for (const int n_stages : {1, 2, 0, 3, 1000, 1, 1001, 500}) {
    ranges.clear();
    team.run(n_stages, [&](int stage, int worker) {
      const auto& from = stage % 2 == 0 ? values : next;
      auto& to = stage % 2 == 0 ? next : values;
      while (const auto chunk = ranges.next(stage, worker, kChunks)) {
        const auto c = static_cast<size_t>(*chunk);
        to[c] = from[(c + 1) % kChunks] + 1;
      }
    });
    if (n_stages % 2 != 0) values.swap(next);
    n_stages_done += n_stages;
    for (int64_t c = 0; c < kChunks; ++c) {
      ASSERT_EQ(values[static_cast<size_t>(c)], (c + n_stages_done) % kChunks + n_stages_done);
    }
  }
}

TEST_P(ThreadTeamTest, AWorkerIsOneThreadAndRunsAStageOnceAtMost) {
  const int n = GetParam();
  ThreadTeam team(n);
  std::vector<std::thread::id> ids(static_cast<size_t>(n));
  std::vector<int> last_stage(static_cast<size_t>(n));
  std::atomic<int> n_faults{0};
  std::atomic<int> n_calls{0};
  constexpr int kStages = 300;
  for (int round = 0; round < 20; ++round) {
    std::ranges::fill(last_stage, -1);
    team.run(kStages, [&](int stage, int worker) {
      const auto w = static_cast<size_t>(worker);
      if (ids[w] == std::thread::id{}) ids[w] = std::this_thread::get_id();
      if (ids[w] != std::this_thread::get_id() || stage <= last_stage[w]) ++n_faults;
      last_stage[w] = stage;
      ++n_calls;
    });
    EXPECT_EQ(std::ranges::max(last_stage), kStages - 1);
  }
  EXPECT_EQ(n_faults, 0);
  EXPECT_GE(n_calls, 20 * kStages);
  EXPECT_EQ(ids[0], std::this_thread::get_id()) << "the caller is worker 0";
  std::erase(ids, std::thread::id{});
  std::ranges::sort(ids);
  EXPECT_EQ(std::ranges::adjacent_find(ids), ids.end());
}

// Pauses of many lengths before, between and inside stages, by any worker, so that workers are met
// spinning, leaving, asleep, and joining late.
TEST_P(ThreadTeamTest, NoWakeUpIsLostBetweenSpinningAndSleeping) {
  const int n = GetParam();
  ThreadTeam team(n);
  WorkRanges ranges(n);
  std::atomic<int> n_done{0};
  for (int round = 0; round < 60; ++round) {
    const auto pause = std::chrono::microseconds(round * 4);
    const auto busy_wait = [&] {
      for (const auto end = Clock::now() + pause; Clock::now() < end;) {
      }
    };
    busy_wait();
    ranges.clear();
    team.run(4, [&](int stage, int worker) {
      while (const auto chunk = ranges.next(stage, worker, 2 * n)) {
        if (*chunk == round % (2 * n)) {
          if (stage % 2 == 0) busy_wait();
          if (stage % 2 == 1) std::this_thread::sleep_for(pause);
        }
        ++n_done;
      }
    });
    ASSERT_EQ(n_done, (round + 1) * 4 * 2 * n);
  }
}

TEST_P(ThreadTeamTest, StartsAndStopsWithoutWork) {
  for (int i = 0; i < 30; ++i) ThreadTeam team(GetParam());
  auto slept = std::make_unique<ThreadTeam>(GetParam());
  slept->run(0, [](int, int) { FAIL() << "no stages"; });
  std::this_thread::sleep_for(milliseconds(5));
  slept.reset();
}

INSTANTIATE_TEST_SUITE_P(Threads, ThreadTeamTest, testing::Values(1, 2, 3, 4, 17));

// Each chunk waits inside its stage until all have been taken, by as many threads.
TEST(ThreadTeam, AllWorkersTakePart) {
  constexpr int kThreads = 4;
  ThreadTeam team(kThreads);
  WorkRanges ranges(kThreads);
  std::atomic<int> arrived{0};
  team.run(1, [&](int stage, int worker) {
    while (ranges.next(stage, worker, kThreads)) {
      ++arrived;
      while (arrived < kThreads) std::this_thread::yield();
    }
  });
  EXPECT_EQ(arrived, kThreads);
}

// A worker that sleeps through stages takes part again: the only way through the last stage.
TEST(ThreadTeam, AWorkerThatLeftComesBack) {
  ThreadTeam team(2);
  WorkRanges ranges(2);
  std::atomic<int> arrived{0};
  const auto both = [&] {
    const int first = arrived.fetch_add(1) / 2 * 2;
    while (arrived < first + 2) std::this_thread::yield();
  };
  team.run(3, [&](int stage, int worker) {
    while (const auto chunk = ranges.next(stage, worker, 2)) {
      if (stage != 1) both();
      if (stage == 1 && *chunk == 0) std::this_thread::sleep_for(milliseconds(20));
    }
  });
  EXPECT_EQ(arrived, 4);
}

TEST(ThreadTeam, OwnersDoNotKnowOfEachOther) {
  std::vector<std::thread> owners;
  std::atomic<int> total{0};
  for (int o = 0; o < 3; ++o) {
    owners.emplace_back([&] {
      ThreadTeam team(2);
      WorkRanges ranges(2);
      for (int round = 0; round < 100; ++round) {
        ranges.clear();
        team.run(2, [&](int stage, int worker) {
          while (ranges.next(stage, worker, 5)) ++total;
        });
      }
    });
  }
  for (std::thread& owner : owners) owner.join();
  EXPECT_EQ(total, 3 * 100 * 2 * 5);
}

TEST(ThreadTeam, AnIdleTeamSleeps) {
  ThreadTeam team(4);
  team.run(10, [](int, int) {});
  std::this_thread::sleep_for(milliseconds(20));
  const double before = cpu_seconds();
  std::this_thread::sleep_for(milliseconds(200));
  EXPECT_LT(cpu_seconds() - before, 0.05) << "three spinning threads would use 0.4 s or more";
}

TEST(ThreadTeam, WaitingForALongStageSleeps) {
  ThreadTeam team(3);
  WorkRanges ranges(3);
  const double before = cpu_seconds();
  team.run(2, [&](int stage, int worker) {
    while (ranges.next(stage, worker, 1)) std::this_thread::sleep_for(milliseconds(100));
  });
  EXPECT_LT(cpu_seconds() - before, 0.05);
}

TEST(ThreadTeam, TimesWaitingOnlyWhenAsked) {
  ThreadTeam team(2);
  WorkRanges ranges(2);
  // Two pieces that need both workers; then the caller has nothing to do for 20 ms.
  const auto step = [&] {
    ranges.clear();
    std::atomic<int> arrived{0};
    team.run(1, [&](int stage, int worker) {
      while (ranges.next(stage, worker, 2)) {
        ++arrived;
        while (arrived < 2) std::this_thread::yield();
        if (worker == 1) std::this_thread::sleep_for(milliseconds(20));
      }
    });
  };
  step();
  EXPECT_EQ(team.waited(0).count(), 0);
  team.time_waiting(true);
  step();
  const auto waited = team.waited(0);
  EXPECT_GE(waited, milliseconds(15));  // the caller may be late to wait, but not that late
  team.time_waiting(false);
  step();
  EXPECT_EQ(team.waited(0), waited);
}

// The step of a small model: 150 stages of some 20 us on two threads. Mean of some steps, as a
// median would hide the few that take a hundred times as long.
double step_seconds(int n_threads, int n_steps) {
  constexpr int kStages = 150;
  constexpr int32_t kChunks = 20;
  ThreadTeam team(n_threads);
  WorkRanges ranges(n_threads);
  std::atomic<int64_t> n_done{0};
  const auto start = Clock::now();
  for (int step = 0; step < n_steps; ++step) {
    ranges.clear();
    team.run(kStages, [&](int stage, int worker) {
      int64_t done = 0;
      while (ranges.next(stage, worker, kChunks)) {
        for (int cycle = 0; cycle < 6000; ++cycle) asm volatile("");  // some 2 us
        ++done;
      }
      n_done += done;
    });
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  EXPECT_EQ(n_done, int64_t{kStages} * kChunks * n_steps);
  return seconds / n_steps;
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

TEST(ThreadTeam, AThirdBusyThreadDoesNotCollapseIt) {
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
