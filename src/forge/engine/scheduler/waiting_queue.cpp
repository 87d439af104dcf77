#include "forge/engine/scheduler/waiting_queue.h"

namespace forge::engine {

void WaitingQueue::add(ScheduledSequence& sequence) {
  Level& level = levels_[sequence.priority];
  ++size_;
  if (sequence.rank > 0) {
    ScheduledSequence* before = level.preempted.last();
    while (before && before->rank > sequence.rank) before = before->previous;
    level.preempted.insert_after(before, sequence);
    return;
  }
  const auto [found, is_new] = level.clients.try_emplace(sequence.account);
  found->second.sequences.push_back(sequence);
  if (is_new) level.by_share.push(found->second);
  if (sequence.queue_deadline) {
    deadlines_.emplace(std::pair(*sequence.queue_deadline, sequence.number), &sequence);
  }
}

void WaitingQueue::remove(ScheduledSequence& sequence) {
  const auto level = levels_.find(sequence.priority);
  --size_;
  if (sequence.rank > 0) {
    level->second.preempted.remove(sequence);
  } else {
    const auto queue = level->second.clients.find(sequence.account);
    queue->second.sequences.remove(sequence);
    if (queue->second.sequences.is_empty()) {
      level->second.by_share.remove(queue->second);
      level->second.clients.erase(queue);
    }
    if (sequence.queue_deadline) {
      deadlines_.erase(std::pair(*sequence.queue_deadline, sequence.number));
    }
  }
  if (level->second.is_empty()) levels_.erase(level);
}

ScheduledSequence* WaitingQueue::next() {
  if (levels_.empty()) return nullptr;
  Level& level = levels_.begin()->second;
  if (!level.preempted.is_empty()) return level.preempted.first();
  return level.by_share.top().sequences.first();
}

ScheduledSequence* WaitingQueue::find_expired(TimePoint now) const {
  if (deadlines_.empty() || deadlines_.begin()->first.first > now) return nullptr;
  return deadlines_.begin()->second;
}

}  // namespace forge::engine
