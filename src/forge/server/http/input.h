// What the client has sent and nobody has looked at yet.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "forge/server/http/transport.h"

namespace forge::server::http {

/// A bounded buffer that a coroutine of its own fills all the time, also while a handler runs: so
/// the end of a connection is seen when it comes. It is not seen behind `capacity` bytes that
/// nobody takes (a client that pipelines that much), until they are taken or a write fails.
/// On the connection's executor only.
class Input {
 public:
  using Clock = std::chrono::steady_clock;

  Input(Transport& transport, const asio::any_io_executor& executor, size_t capacity);

  /// Reads until the end. The caller keeps this object alive while it runs.
  asio::awaitable<void> run();

  [[nodiscard]] std::string_view unread() const {
    return std::string_view(buffer_).substr(n_taken_);
  }
  void take(size_t n_bytes);
  /// Nothing further will come.
  [[nodiscard]] bool has_ended() const { return has_ended_; }

  enum class Wait { kMore, kEnd, kTimeout, kFull, kWoken };
  /// Waits for more than is unread now. kFull: the capacity is reached. kWoken: by wake().
  asio::awaitable<Wait> wait_for_more(Clock::time_point deadline);
  /// Ends a wait_for_more() under way, if there is one.
  void wake();

  /// Called when the end is seen; replaces the one before; may be empty.
  void on_end(std::function<void()> f) { on_end_ = std::move(f); }
  /// Behaves as if the end had come. Idempotent; the socket must be closed by then or soon.
  void end();

 private:
  Transport& transport_;
  const size_t capacity_;
  std::string buffer_;
  size_t n_taken_ = 0;  // from the front of buffer_
  bool has_ended_ = false;
  bool is_woken_ = false;
  asio::steady_timer news_;  // cancelled to wake wait_for_more()
  asio::steady_timer room_;  // cancelled to wake run()
  std::function<void()> on_end_;
};

}  // namespace forge::server::http
