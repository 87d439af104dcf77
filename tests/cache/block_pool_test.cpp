// Reference: the invariants in the headers, checked after every step of random schedules.
#include "forge/cache/block_pool.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <set>

#include "forge/cache/block_table.h"
#include "forge/tensor/paged_batch.h"

namespace forge::cache {
namespace {

TEST(BlockPool, CountsOwnersThroughRandomSchedules) {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    BlockPool pool(17);
    std::map<int32_t, int32_t> model;  // block -> owners
    for (int step = 0; step < 2000; ++step) {
      const auto action = random() % 3;
      if (action == 0) {
        const auto block = pool.allocate();
        ASSERT_EQ(block.has_value(), model.size() < 17);
        if (block) {
          ASSERT_FALSE(model.contains(*block)) << "a block with two first owners";
          model[*block] = 1;
        }
      } else if (!model.empty()) {
        const auto chosen = std::next(model.begin(), static_cast<long>(random() % model.size()));
        if (action == 1) {
          pool.retain(chosen->first);
          ++chosen->second;
        } else {
          pool.release(chosen->first);
          if (--chosen->second == 0) model.erase(chosen);
        }
      }
      ASSERT_EQ(pool.n_free() + static_cast<int32_t>(model.size()), pool.n_blocks());
      for (int32_t block = 0; block < pool.n_blocks(); ++block) {
        const auto held = model.find(block);
        ASSERT_EQ(pool.owners(block), held == model.end() ? 0 : held->second);
      }
    }
  }
}

TEST(BlockPoolDeathTest, RefusesToFreeWhatNobodyHolds) {
  BlockPool pool(2);
  const int32_t block = *pool.allocate();
  pool.release(block);
  EXPECT_DEATH(pool.release(block), "is free");
  EXPECT_DEATH(pool.retain(block), "is free");
  EXPECT_DEATH((void)pool.owners(2), "block 2 of 2");
}

TEST(BlockTable, SequencesNeverShareABlockAndGiveAllBack) {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    BlockPool pool(30);
    std::vector<std::unique_ptr<BlockTable>> tables;
    for (int i = 0; i < 5; ++i) tables.push_back(std::make_unique<BlockTable>(pool));
    std::vector<int32_t> lengths(5, 0);
    for (int step = 0; step < 500; ++step) {
      const size_t i = random() % 5;
      if (random() % 8 == 0) {
        tables[i]->clear();
        lengths[i] = 0;
      } else {
        const int32_t wanted = lengths[i] + static_cast<int32_t>(random() % 40);
        const size_t before = tables[i]->blocks().size();
        const int32_t free_before = pool.n_free();
        if (tables[i]->try_reserve(wanted)) {
          lengths[i] = std::max(lengths[i], wanted);
        } else {
          EXPECT_EQ(tables[i]->blocks().size(), before);
          EXPECT_EQ(pool.n_free(), free_before);
        }
      }
      std::set<int32_t> seen;
      size_t held = 0;
      for (size_t t = 0; t < 5; ++t) {
        ASSERT_GE(tables[t]->capacity_tokens(), lengths[t]);
        ASSERT_LT(tables[t]->capacity_tokens(), lengths[t] + kBlockLen);
        for (const int32_t block : tables[t]->blocks()) seen.insert(block);
        held += tables[t]->blocks().size();
      }
      ASSERT_EQ(seen.size(), held);
      ASSERT_EQ(pool.n_free() + static_cast<int32_t>(held), 30);
    }
    tables.clear();
    EXPECT_EQ(pool.n_free(), 30);
  }
}

}  // namespace
}  // namespace forge::cache
