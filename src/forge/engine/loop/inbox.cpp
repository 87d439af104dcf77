#include "forge/engine/loop/inbox.h"

#include <utility>

namespace forge::engine {

void Inbox::put(Order order) {
  {
    const std::lock_guard lock(mutex_);
    if (is_closed_) return;
    orders_.push_back(std::move(order));
  }
  has_orders_.notify_one();
}

Inbox::Answer Inbox::locked_answer(int32_t most_waiting) const {
  if (is_shut_ || is_closed_) return Answer::kShut;
  return n_unstarted_ + n_added_ < most_waiting + n_free_ ? Answer::kTaken : Answer::kFull;
}

Inbox::Answer Inbox::answer(int32_t most_waiting) const {
  const std::lock_guard lock(mutex_);
  return locked_answer(most_waiting);
}

Inbox::Answer Inbox::try_add(std::shared_ptr<LiveRequest> request, int32_t most_waiting) {
  {
    const std::lock_guard lock(mutex_);
    if (const Answer answer = locked_answer(most_waiting); answer != Answer::kTaken) return answer;
    ++n_added_;
    orders_.push_back({.kind = Order::Kind::kAdd, .request = std::move(request)});
  }
  has_orders_.notify_one();
  return Answer::kTaken;
}

void Inbox::shut() {
  const std::lock_guard lock(mutex_);
  is_shut_ = true;
}

void Inbox::close() {
  {
    const std::lock_guard lock(mutex_);
    is_shut_ = is_closed_ = true;
  }
  has_orders_.notify_one();
}

bool Inbox::take(std::vector<Order>& orders, bool may_wait, int32_t n_unstarted, int32_t n_free) {
  orders.clear();
  std::unique_lock lock(mutex_);
  n_unstarted_ = n_unstarted;
  n_free_ = n_free;
  if (may_wait) has_orders_.wait(lock, [this] { return is_closed_ || !orders_.empty(); });
  std::swap(orders, orders_);
  n_unstarted_ += std::exchange(n_added_, 0);
  return !is_closed_;
}

int32_t Inbox::n_waiting() const {
  const std::lock_guard lock(mutex_);
  return n_unstarted_ + n_added_;
}

}  // namespace forge::engine
