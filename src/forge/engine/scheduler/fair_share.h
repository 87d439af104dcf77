// What each client has had so far, so that the one who has had least comes next.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "forge/engine/scheduler/lazy_min_heap.h"

namespace forge::engine {

/// One client's virtual token counter.
struct ClientAccount {
  std::string client;
  int64_t used = 0;         // weighted tokens; only grows while the client is active
  int32_t n_sequences = 0;  // waiting or running; active where there is one
  int32_t n_running = 0;

  HeapPlace<int64_t> heap_place;
  [[nodiscard]] int64_t heap_key() const { return used; }
};

/// The accounts of Sheng et al. 2024, "Fairness in Serving Large Language Models",
/// arXiv:2401.00588: a client who comes back from idling starts at the least counter of the active
/// ones, so that nobody saves up a claim while idle, and nobody gets rid of what he has had by
/// idling for a moment. Unlike there, nothing is owed once nobody is active: all counters start
/// anew.
///
/// An account lives as long as its client is active, and until the others have caught up. One
/// thread.
class FairShare {
 public:
  static constexpr int64_t kPromptTokenCost = 1;
  static constexpr int64_t kGeneratedTokenCost = 2;

  /// The account of a client who has one sequence more. Valid until the last of them leaves.
  [[nodiscard]] ClientAccount& join(const std::string& client);
  /// One sequence less.
  void leave(ClientAccount& account);

  /// Accounts that are kept, those of idle clients included.
  [[nodiscard]] size_t n_accounts() const { return accounts_.size(); }

 private:
  void forget_caught_up();

  std::unordered_map<std::string, ClientAccount> accounts_;
  LazyMinHeap<ClientAccount> active_;
  LazyMinHeap<ClientAccount> idle_;  // who have had more than the least of the active ones
};

}  // namespace forge::engine
