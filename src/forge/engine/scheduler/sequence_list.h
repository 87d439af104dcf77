// Sequences in an order, linked through themselves.
#pragma once

#include "forge/engine/scheduler/scheduled_sequence.h"

namespace forge::engine {

/// Allocates nothing. A sequence is in one list at most.
class SequenceList {
 public:
  [[nodiscard]] bool is_empty() const { return first_ == nullptr; }
  [[nodiscard]] ScheduledSequence* first() const { return first_; }
  [[nodiscard]] ScheduledSequence* last() const { return last_; }

  /// Puts it after another one of the list, or first where that is null.
  void insert_after(ScheduledSequence* before, ScheduledSequence& sequence) {
    sequence.previous = before;
    sequence.next = before ? before->next : first_;
    (before ? before->next : first_) = &sequence;
    (sequence.next ? sequence.next->previous : last_) = &sequence;
  }
  void push_back(ScheduledSequence& sequence) { insert_after(last_, sequence); }

  void remove(ScheduledSequence& sequence) {
    (sequence.previous ? sequence.previous->next : first_) = sequence.next;
    (sequence.next ? sequence.next->previous : last_) = sequence.previous;
    sequence.previous = nullptr;
    sequence.next = nullptr;
  }

 private:
  ScheduledSequence* first_ = nullptr;
  ScheduledSequence* last_ = nullptr;
};

}  // namespace forge::engine
