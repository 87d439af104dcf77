// Trusts: the definitions in Sheng et al. 2024 (arXiv:2401.00588), in small cases, and std::min.
#include "forge/engine/scheduler/fair_share.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <random>
#include <string>

namespace forge::engine {
namespace {

TEST(LazyMinHeap, FindsTheLeastThoughKeysGrowBehindItsBack) {
  std::mt19937 random(1);
  std::list<ClientAccount> all;
  LazyMinHeap<ClientAccount> heap;
  for (int step = 0; step < 20'000; ++step) {
    const auto action = random() % 8;
    if (action == 0 || all.empty()) {
      all.emplace_back().used = static_cast<int64_t>(random() % 1000);
      heap.push(all.back());
    } else {
      const auto it = std::next(all.begin(), static_cast<long>(random() % all.size()));
      if (action == 1) {
        heap.remove(*it);
        all.erase(it);
      } else {
        it->used += static_cast<int64_t>(random() % 20);
      }
    }
    ASSERT_EQ(heap.is_empty(), all.empty());
    if (all.empty() || step % 3 != 0) continue;
    int64_t least = all.front().used;
    for (const ClientAccount& account : all) least = std::min(least, account.used);
    ASSERT_EQ(heap.top().used, least);
  }
}

TEST(FairShare, NobodySavesUpWhileIdleNorLosesWhatHeHasHad) {
  FairShare shares;
  ClientAccount& a = shares.join("a");
  ClientAccount& b = shares.join("b");
  EXPECT_EQ(a.used, 0);
  a.used = 100;
  b.used = 60;
  EXPECT_EQ(shares.join("c").used, 60) << "starts at the least active one";
  shares.leave(a);
  EXPECT_EQ(shares.join("a").used, 100) << "idled for a moment";
  EXPECT_EQ(&shares.join("b"), &b) << "a second sequence, the same account";
  EXPECT_EQ(b.used, 60);
}

TEST(FairShare, ForgetsIdleClientsOnceOthersHaveCaughtUp) {
  FairShare shares;
  ClientAccount& busy = shares.join("busy");
  for (int i = 0; i < 100; ++i) {
    ClientAccount& account = shares.join("client " + std::to_string(i));
    account.used += i;
    shares.leave(account);
  }
  EXPECT_GT(shares.n_accounts(), 90U);
  busy.used = 1'000;
  EXPECT_EQ(shares.join("another").used, 1'000);
  EXPECT_EQ(shares.n_accounts(), 2U);
  EXPECT_EQ(shares.join("client 99").used, 1'000);
}

TEST(FairShare, StartsAnewOnceNobodyIsActive) {
  FairShare shares;
  ClientAccount& account = shares.join("a");
  account.used = 1'000;
  shares.leave(account);
  EXPECT_EQ(shares.n_accounts(), 0U);
  EXPECT_EQ(shares.join("a").used, 0);
}

}  // namespace
}  // namespace forge::engine
