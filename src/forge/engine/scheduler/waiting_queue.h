// The sequences that wait, and which of them is next.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "forge/engine/scheduler/fair_share.h"
#include "forge/engine/scheduler/scheduled_sequence.h"
#include "forge/engine/scheduler/sequence_list.h"

namespace forge::engine {

/// Order: lower priority number first; then those that were running before (preempted), in the
/// order of their first admission, since their readers have seen a beginning already; then the
/// client who has had least, among equals one with nothing running, then the one whose first
/// sequence arrived first; in a client the order of arrival.
///
/// Sequences come with their account, number and rank set. Insertion and removal take O(log
/// waiting) time, and O(preempted) for preempted ones. One thread.
class WaitingQueue {
 public:
  void add(ScheduledSequence& sequence);
  void remove(ScheduledSequence& sequence);

  /// Who is next; null where nobody waits.
  [[nodiscard]] ScheduledSequence* next();
  /// One that never ran and whose queue deadline is not after now, the earliest; null where there
  /// is none.
  [[nodiscard]] ScheduledSequence* find_expired(TimePoint now) const;

  [[nodiscard]] int32_t size() const { return size_; }

 private:
  /// One client's part of a level.
  struct ClientQueue {
    using Key = std::tuple<int64_t, bool, uint64_t>;
    SequenceList sequences;
    HeapPlace<Key> heap_place;
    // Whether the client has something running may turn false unnoticed by the heap; that can only
    // change who wins a tie.
    [[nodiscard]] Key heap_key() const {
      const ScheduledSequence& first = *sequences.first();
      return {first.account->used, first.account->n_running > 0, first.number};
    }
  };
  /// One priority.
  struct Level {
    SequenceList preempted;
    std::unordered_map<const ClientAccount*, ClientQueue> clients;
    LazyMinHeap<ClientQueue> by_share;

    [[nodiscard]] bool is_empty() const { return preempted.is_empty() && clients.empty(); }
  };

  std::map<int32_t, Level> levels_;  // by priority
  std::map<std::pair<TimePoint, uint64_t>, ScheduledSequence*> deadlines_;
  int32_t size_ = 0;
};

}  // namespace forge::engine
