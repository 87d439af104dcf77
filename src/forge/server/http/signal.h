// Wakes a coroutine from another thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>

namespace forge::server::http {

namespace asio = boost::asio;

/// One flag that a coroutine waits for and any thread raises. Copies share the flag, so a copy may
/// be handed to the engine and outlive the coroutine, its connection and the whole server.
///
/// Raising an already raised flag does nothing; wait() lowers it. So notify() before, during or
/// after the start of wait() is never lost, and many of them may end one wait().
class Signal {
 public:
  /// executor: of the coroutine that will wait. Its tasks must not run side by side (an io_context
  /// of one thread, as the server's are, or a strand).
  explicit Signal(asio::any_io_executor executor);

  /// Returns when the flag is up, and lowers it. One waiter at a time, on the executor.
  asio::awaitable<void> wait();

  /// Raises the flag. Any thread; takes a lock for some nanoseconds, and posts to the executor only
  /// where somebody waits.
  void notify();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace forge::server::http
