// Trusts: the invariants in the header, and small cases worked out by hand.
#include "forge/cache/kv_blocks.h"

#include <gtest/gtest.h>

#include <numeric>
#include <span>
#include <vector>

namespace forge::cache {
namespace {

using Table = KvBlocks::Table;

std::vector<int32_t> counting(int32_t n, int32_t first = 0) {
  std::vector<int32_t> tokens(static_cast<size_t>(n));
  std::iota(tokens.begin(), tokens.end(), first);
  return tokens;
}

// A table whose tokens are computed and registered.
Table computed(KvBlocks& blocks, std::span<const int32_t> tokens, uint64_t salt = 0) {
  Table table;
  const auto n = static_cast<int32_t>(tokens.size());
  EXPECT_TRUE(blocks.try_grow(table, n));
  blocks.register_prefix(table, tokens, n, salt);
  return table;
}

// The length of the cached prefix, without keeping it.
int32_t cached_len(KvBlocks& blocks, std::span<const int32_t> tokens, uint64_t salt = 0) {
  Table table;
  std::vector<BlockCopy> copies;
  const int32_t n = blocks.take_prefix(table, tokens, salt, copies);
  blocks.release(table);
  return n;
}

TEST(KvBlocks, KeepsFullBlocksForTheirPrefixAndOnlyThose) {
  KvBlocks blocks({.n_blocks = 8});
  const auto tokens = counting(40);
  Table table = computed(blocks, tokens);
  EXPECT_EQ(blocks.n_used(), 3);
  blocks.release(table);
  EXPECT_EQ(blocks.n_used(), 0);
  EXPECT_EQ(blocks.n_cached(), 2);
  EXPECT_EQ(blocks.n_free(), 6);
  EXPECT_EQ(cached_len(blocks, tokens), 32);
  EXPECT_EQ(cached_len(blocks, counting(33)), 32);
  EXPECT_EQ(cached_len(blocks, counting(31)), 16);
  EXPECT_EQ(cached_len(blocks, counting(40, 1)), 0);
  EXPECT_EQ(cached_len(blocks, tokens, 5), 0) << "another salt";
  blocks.check_invariants();
}

TEST(KvBlocks, ABlockIsFoundOnlyAfterTheSameBeginning) {
  KvBlocks blocks({.n_blocks = 8});
  auto other = counting(32);
  Table table = computed(blocks, other);
  other[3] = 99;  // its second block has the cached one's tokens
  EXPECT_EQ(cached_len(blocks, other), 0);
  blocks.release(table);
}

TEST(KvBlocks, AWhollyCachedPromptCopiesItsLastBlock) {
  KvBlocks blocks({.n_blocks = 4});
  const auto tokens = counting(32);
  Table first = computed(blocks, tokens);
  Table second;
  std::vector<BlockCopy> copies;
  EXPECT_EQ(blocks.take_prefix(second, tokens, 0, copies), 31);
  ASSERT_EQ(copies.size(), 1U);
  EXPECT_EQ(copies[0].from, first.blocks[1]);
  EXPECT_EQ(copies[0].to, second.blocks[1]);
  EXPECT_EQ(second.blocks[0], first.blocks[0]);
  EXPECT_EQ(blocks.owners(second.blocks[1]), 1) << "it will be written";
  // Once its last token is computed, the copy is known to be one, and goes.
  blocks.register_prefix(second, tokens, 32, 0);
  EXPECT_EQ(second.blocks, first.blocks);
  EXPECT_EQ(blocks.n_used(), 2);
  blocks.release(first);
  blocks.release(second);
}

TEST(KvBlocks, WithoutRoomForTheCopyTheLastBlockIsLeftOut) {
  KvBlocks blocks({.n_blocks = 2});
  const auto tokens = counting(32);
  Table first = computed(blocks, tokens);
  Table second;
  std::vector<BlockCopy> copies;
  EXPECT_EQ(blocks.take_prefix(second, tokens, 0, copies), 16);
  EXPECT_TRUE(copies.empty());
  blocks.release(first);
  blocks.release(second);
  // With nobody else, the block to copy from is not the one that is taken for the copy.
  EXPECT_EQ(blocks.take_prefix(second, tokens, 0, copies), 16);
  EXPECT_TRUE(copies.empty());
  blocks.release(second);
}

TEST(KvBlocks, EqualContentIsHeldOnce) {
  KvBlocks blocks({.n_blocks = 8});
  const auto tokens = counting(32);
  Table first;
  Table second;
  ASSERT_TRUE(blocks.try_grow(first, 32));
  ASSERT_TRUE(blocks.try_grow(second, 32));
  EXPECT_EQ(blocks.n_used(), 4);
  blocks.register_prefix(first, tokens, 32, 0);
  blocks.register_prefix(second, tokens, 32, 0);
  EXPECT_EQ(blocks.n_used(), 2);
  EXPECT_EQ(second.blocks, first.blocks);
  blocks.release(first);
  EXPECT_EQ(blocks.n_used(), 2);
  blocks.release(second);
  blocks.check_invariants();
}

TEST(KvBlocks, EvictsTheLeastRecentlyUsedAndEndsBeforeBeginnings) {
  KvBlocks blocks({.n_blocks = 4});
  const auto a = counting(32);
  const auto b = counting(32, 100);
  Table table = computed(blocks, a);
  blocks.release(table);
  table = computed(blocks, b);
  blocks.release(table);
  EXPECT_EQ(cached_len(blocks, counting(33)), 32);  // a is now the more recent one
  Table taker;
  ASSERT_TRUE(blocks.try_grow(taker, 16));
  auto longer = b;
  longer.push_back(0);
  EXPECT_EQ(cached_len(blocks, longer), 16);
  ASSERT_TRUE(blocks.try_grow(taker, 32));
  EXPECT_EQ(cached_len(blocks, longer), 16) << "just used, so the end of a went";
  EXPECT_EQ(cached_len(blocks, counting(33)), 16);
  EXPECT_FALSE(blocks.try_grow(taker, 16 * 5));
  EXPECT_EQ(taker.blocks.size(), 2U);
  blocks.check_invariants();
  blocks.release(taker);
}

TEST(KvBlocks, AWriterOfASharedBlockGetsItsOwn) {
  KvBlocks blocks({.n_blocks = 3});
  Table parent;
  ASSERT_TRUE(blocks.try_grow(parent, 20));
  Table child;
  blocks.share(parent, child);
  std::vector<BlockCopy> copies;
  ASSERT_TRUE(blocks.try_own(child, 20, copies));
  ASSERT_EQ(copies.size(), 1U);
  EXPECT_EQ(copies[0].from, parent.blocks[1]);
  EXPECT_EQ(copies[0].to, child.blocks[1]);
  EXPECT_EQ(child.blocks[0], parent.blocks[0]);
  ASSERT_TRUE(blocks.try_own(parent, 20, copies)) << "the last sharer needs no copy";
  EXPECT_EQ(copies.size(), 1U);
  Table third;
  blocks.share(parent, third);
  EXPECT_FALSE(blocks.try_own(third, 20, copies)) << "all three blocks are used";
  EXPECT_EQ(third.blocks, parent.blocks);
  for (Table* table : {&parent, &child, &third}) blocks.release(*table);
}

TEST(KvBlocks, TheWindowLeavesWholeBlocksBehind) {
  KvBlocks blocks({.n_blocks = 4});
  Table table = computed(blocks, counting(60));
  blocks.release_before(table, 31);
  EXPECT_EQ(table.blocks[0], KvBlocks::kReleased);
  EXPECT_GE(table.blocks[1], 0);
  EXPECT_EQ(table.n_held(), 3);
  blocks.release_before(table, 32);
  EXPECT_EQ(table.n_held(), 2);
  EXPECT_EQ(blocks.n_cached(), 2);
  blocks.release(table);
  EXPECT_EQ(blocks.n_used(), 0);
}

TEST(KvBlocks, CountsWhatOthersHoldAsFreeOfCharge) {
  KvBlocks blocks({.n_blocks = 4});
  const auto tokens = counting(48);
  Table table = computed(blocks, tokens);
  EXPECT_EQ(blocks.count_shareable(tokens, 0), 2) << "the last one would be copied";
  EXPECT_EQ(blocks.count_shareable(counting(49), 0), 3);
  blocks.release(table);
  EXPECT_EQ(blocks.count_shareable(counting(49), 0), 0);
}

TEST(KvBlocks, WithoutAPrefixCacheNothingIsKept) {
  KvBlocks blocks({.n_blocks = 4, .prefix_cache = false});
  Table table = computed(blocks, counting(32));
  blocks.release(table);
  EXPECT_EQ(blocks.n_free(), 4);
  EXPECT_EQ(cached_len(blocks, counting(33)), 0);
}

TEST(KvBlocksDeathTest, NoticesWhatWasNotGivenBackAndWritesToWhatIsKnown) {
  EXPECT_DEATH(
      {
        KvBlocks blocks({.n_blocks = 4});
        const Table table = computed(blocks, counting(16));
      },
      "1 blocks still in tables");
  KvBlocks blocks({.n_blocks = 4});
  Table table = computed(blocks, counting(16));
  std::vector<BlockCopy> copies;
  EXPECT_DEATH((void)blocks.try_own(table, 3, copies), "position 3 is not for writing");
  blocks.release(table);
}

}  // namespace
}  // namespace forge::cache
