// Trusts: a std::map from whole prefixes to blocks, beside the index through random schedules.
#include "forge/cache/prefix_index.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>
#include <tuple>

namespace forge::cache {
namespace {

using Tokens = std::array<int32_t, kBlockLen>;

// Few of them, so that schedules meet the same key again.
Tokens tokens_of(uint64_t random) {
  Tokens tokens{};
  tokens[random % kBlockLen] = static_cast<int32_t>(random / kBlockLen % 3);
  return tokens;
}

TEST(PrefixIndex, FindsExactlyWhatWasInsertedWhateverTheHashIs) {
  for (const int32_t hash_bits : {0, 1, 3, 64}) {
    std::mt19937 random(static_cast<uint32_t>(hash_bits));
    PrefixIndex index(40, hash_bits);
    std::map<std::tuple<uint64_t, uint64_t, Tokens>, int32_t> model;
    std::map<int32_t, std::tuple<uint64_t, uint64_t, Tokens>> key_of;
    for (int step = 0; step < 20'000; ++step) {
      const uint64_t salt = random() % 2;
      const uint64_t parent = random() % 3;
      const Tokens tokens = tokens_of(random());
      const auto block = static_cast<int32_t>(random() % 40);
      const std::tuple key(salt, parent, tokens);
      const auto known = model.find(key);
      ASSERT_EQ(index.find({salt, parent, tokens}),
                known == model.end() ? PrefixIndex::kNone : known->second);
      ASSERT_EQ(index.contains(block), key_of.contains(block));
      if (key_of.contains(block)) {
        index.erase(block);
        model.erase(key_of[block]);
        key_of.erase(block);
      } else if (known == model.end()) {
        index.insert(block, {salt, parent, tokens});
        model[key] = block;
        key_of[block] = key;
      }
    }
  }
}

TEST(PrefixIndex, NeverGivesAnIdentityTwice) {
  PrefixIndex index(2, 64);
  const Tokens tokens{};
  const uint64_t first = index.insert(0, {0, 0, tokens});
  index.insert(1, {0, first, tokens});
  index.erase(0);
  EXPECT_NE(index.insert(0, {0, 0, tokens}), first);
  // The other one follows a block that is gone: the new one may hold other bits one day.
  EXPECT_EQ(index.find({0, index.identity(0), tokens}), PrefixIndex::kNone);
}

}  // namespace
}  // namespace forge::cache
