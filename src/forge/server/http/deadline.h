// A time limit on what a connection is doing.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace forge::server::http {

/// Calls a function once when the time of the last arm() is up, unless disarmed or destroyed
/// before. On the executor's thread only.
class Deadline {
 public:
  Deadline(boost::asio::any_io_executor executor, std::function<void()> on_expiry)
      : timer_(std::move(executor)), on_expiry_(std::move(on_expiry)) {}
  ~Deadline() { disarm(); }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  void arm(std::chrono::milliseconds time) { arm(std::chrono::steady_clock::now() + time); }
  void arm(std::chrono::steady_clock::time_point end) {
    timer_.expires_at(end);
    // cancel() does not reach a wait whose time was up already and whose call is queued; that one
    // sees that its round is over.
    timer_.async_wait([this, round = round_, mine = ++*round_](boost::system::error_code) {
      if (*round == mine) on_expiry_();
    });
  }
  void disarm() {
    ++*round_;
    timer_.cancel();
  }

 private:
  boost::asio::steady_timer timer_;
  std::function<void()> on_expiry_;
  std::shared_ptr<uint64_t> round_ = std::make_shared<uint64_t>(0);
};

}  // namespace forge::server::http
