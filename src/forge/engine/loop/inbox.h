// What other threads want of the engine's thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "forge/engine/loop/live_request.h"

namespace forge::engine {

/// Orders in the sequence in which they came. Any thread puts them in, one takes them out.
class Inbox {
 public:
  /// n_free: sequences that the taker could start at once.
  explicit Inbox(int32_t n_free) : n_free_(n_free) {}

  struct Order {
    enum class Kind { kAdd, kCancel, kStopChoice };
    Kind kind = Kind::kAdd;
    std::shared_ptr<LiveRequest> request;
    int32_t choice = 0;  // kStopChoice
  };

  /// Nothing happens once the inbox is closed.
  void put(Order order);
  enum class Answer { kTaken, kFull, kShut };
  /// Puts a new request in, unless `most_waiting` requests wait already for their first step, or
  /// the inbox is closed or shut.
  [[nodiscard]] Answer try_add(std::shared_ptr<LiveRequest> request, int32_t most_waiting);
  /// What try_add() would say at this moment.
  [[nodiscard]] Answer answer(int32_t most_waiting) const;

  /// Refuses new requests from now on; other orders go on.
  void shut();
  /// The end: wakes the taker, which sees is_closed.
  void close();

  /// Takes all orders (`orders` is cleared first and lends its memory). With nothing to take it
  /// waits if `may_wait`. n_unstarted: requests the taker has, whose first step has not begun;
  /// n_free: sequences that it could start at once. False once closed: these are the last orders.
  [[nodiscard]] bool take(std::vector<Order>& orders, bool may_wait, int32_t n_unstarted,
                          int32_t n_free);

  /// Requests that wait for their first step.
  [[nodiscard]] int32_t n_waiting() const;

 private:
  [[nodiscard]] Answer locked_answer(int32_t most_waiting) const;

  mutable std::mutex mutex_;
  std::condition_variable has_orders_;
  std::vector<Order> orders_;
  int32_t n_added_ = 0;      // requests in orders_
  int32_t n_unstarted_ = 0;  // as of the last take()
  int32_t n_free_;           // likewise
  bool is_shut_ = false;
  bool is_closed_ = false;
};

}  // namespace forge::engine
