// Trusts counting: each chunk is handed out exactly once, whatever the order.
#include "forge/base/work_ranges.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <vector>

#include "forge/base/thread_team.h"

namespace forge {
namespace {

std::vector<int32_t> drain(WorkRanges& ranges, int stage, int worker, int32_t n_chunks) {
  std::vector<int32_t> chunks;
  while (const auto chunk = ranges.next(stage, worker, n_chunks)) chunks.push_back(*chunk);
  return chunks;
}

TEST(WorkRanges, SharesAreContiguousEvenAndComplete) {
  for (const int n_workers : {1, 2, 3, 7, 64}) {
    for (const int32_t n_chunks : {0, 1, 2, 6, 7, 1000, 2147483647}) {
      int32_t next = 0;
      for (int w = 0; w < n_workers; ++w) {
        const ChunkRange share = share_of(w, n_workers, n_chunks);
        EXPECT_EQ(share.begin, next);
        EXPECT_GE(share.end - share.begin, n_chunks / n_workers);
        EXPECT_LE(share.end - share.begin - n_chunks / n_workers, 1);
        next = share.end;
      }
      EXPECT_EQ(next, n_chunks);
    }
  }
}

TEST(WorkRanges, OwnShareComesFirstThenHalfOfTheLargestRest) {
  WorkRanges ranges(3);
  const auto next = [&](int worker) { return ranges.next(0, worker, 30); };
  for (int32_t chunk = 10; chunk < 14; ++chunk) EXPECT_EQ(next(1), chunk);  // 14-19 are left
  for (int32_t chunk = 0; chunk < 10; ++chunk) EXPECT_EQ(next(0), chunk);
  // The largest rest is worker 2's, 20-29: its back half goes over and is then one's own.
  for (int32_t chunk = 25; chunk < 30; ++chunk) EXPECT_EQ(next(0), chunk);
  // Now worker 1's, 14-19.
  EXPECT_EQ(next(0), 17);
  EXPECT_EQ(next(1), 14);
  // Left are 18-19 of worker 0 and 15-16 of worker 1: halves again, down to single chunks.
  EXPECT_EQ(drain(ranges, 0, 2, 30), (std::vector<int32_t>{20, 21, 22, 23, 24, 19, 16, 18, 15}));
  EXPECT_EQ(next(0), std::nullopt);
  EXPECT_EQ(next(1), std::nullopt);
}

TEST(WorkRanges, StagesAndRunsAreIndependent) {
  WorkRanges ranges(2);
  EXPECT_EQ(drain(ranges, 0, 1, 3), (std::vector<int32_t>{1, 2, 0}));
  EXPECT_EQ(drain(ranges, 1, 0, 2), (std::vector<int32_t>{0, 1}));
  EXPECT_EQ(drain(ranges, 2, 0, 0), std::vector<int32_t>{});
  EXPECT_EQ(drain(ranges, 7, 0, 1), std::vector<int32_t>{0});  // fewer chunks than workers
  EXPECT_EQ(ranges.next(7, 1, 1), std::nullopt);
  EXPECT_EQ(drain(ranges, 65'534, 1, 2), (std::vector<int32_t>{1, 0}));
  ranges.clear();
  EXPECT_EQ(drain(ranges, 0, 0, 3), (std::vector<int32_t>{0, 2, 1}));
  EXPECT_EQ(ranges.next(1, 1, WorkRanges::kMaxChunks), WorkRanges::kMaxChunks / 2);
  EXPECT_EQ(ranges.next(1, 0, WorkRanges::kMaxChunks), 0);
}

class TakeOrders : public testing::TestWithParam<std::tuple<int, TakeOrder>> {};

// Stages as in the header's example, with every worker racing for tiny chunks.
TEST_P(TakeOrders, EachChunkIsHandedOutOnce) {
  const auto [n_threads, order] = GetParam();
  constexpr int kStages = 300;
  constexpr int32_t kMostChunks = 97;
  ThreadTeam team(n_threads);
  WorkRanges ranges(n_threads);
  for (uint64_t seed = 0; seed < 3; ++seed) {
    ranges.set_order(order, seed);
    // Plain integers: two visits of one chunk would be a race, which TSan reports.
    std::vector<int> visits(static_cast<size_t>(kStages) * kMostChunks, 0);
    const auto n_chunks = [](int stage) { return (stage * 31) % (kMostChunks + 1); };
    ranges.clear();
    team.run(kStages, [&](int stage, int worker) {
      while (const auto chunk = ranges.next(stage, worker, n_chunks(stage))) {
        ++visits[static_cast<size_t>(stage) * kMostChunks + static_cast<size_t>(*chunk)];
      }
    });
    for (int stage = 0; stage < kStages; ++stage) {
      for (int32_t chunk = 0; chunk < kMostChunks; ++chunk) {
        ASSERT_EQ(visits[static_cast<size_t>(stage) * kMostChunks + static_cast<size_t>(chunk)],
                  chunk < n_chunks(stage) ? 1 : 0)
            << "stage " << stage << " chunk " << chunk;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Orders, TakeOrders,
                         testing::Combine(testing::Values(1, 2, 3, 5),
                                          testing::Values(TakeOrder::kOwnFirst,
                                                          TakeOrder::kOthersFirst,
                                                          TakeOrder::kRandom)));

TEST(WorkRanges, TestOrdersDoTakeFromOthers) {
  WorkRanges ranges(2);
  ranges.set_order(TakeOrder::kOthersFirst);
  EXPECT_EQ(drain(ranges, 0, 0, 4), (std::vector<int32_t>{3, 2, 1, 0}));
  std::set<std::vector<int32_t>> orders;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    ranges.set_order(TakeOrder::kRandom, seed);
    ranges.clear();
    std::vector<int32_t> order = drain(ranges, 0, 0, 4);
    orders.insert(order);
    std::ranges::sort(order);
    EXPECT_EQ(order, (std::vector<int32_t>{0, 1, 2, 3}));
  }
  EXPECT_GT(orders.size(), 3u);
}

}  // namespace
}  // namespace forge
