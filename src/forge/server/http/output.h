// What goes to the client, with a limit on how long the client may take to take it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <string_view>

#include "forge/server/http/deadline.h"
#include "forge/server/http/transport.h"

namespace forge::server::http {

/// Writes one piece after the other. On the connection's executor only.
class Output {
 public:
  Output(Transport& transport, const asio::any_io_executor& executor,
         std::chrono::milliseconds timeout)
      : transport_(transport), timeout_(timeout), deadline_(executor, [this] { abort(); }) {}

  /// Writes all of it. False: the client is gone or took too long, and the connection is closed.
  asio::awaitable<bool> write(std::string_view bytes);

  [[nodiscard]] bool is_broken() const { return is_broken_; }
  /// Closes the connection, dropping what the client has not got yet.
  void abort() {
    is_broken_ = true;
    transport_.abort();
  }

 private:
  Transport& transport_;
  const std::chrono::milliseconds timeout_;
  bool is_broken_ = false;
  Deadline deadline_;
};

}  // namespace forge::server::http
