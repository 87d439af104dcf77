// The HTTP server: listens, deals connections to its threads, and stops in good order.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "forge/base/result.h"
#include "forge/server/http/router.h"
#include "forge/server/http/server_options.h"

namespace forge::server::http {

/// An HTTP/1.1 server (RFC 9110, 9112) on Boost.Asio and Boost.Beast. Each io thread has an
/// io_context of its own and connections stay with theirs, so nothing inside a connection needs a
/// lock. Its methods may be called from any thread, but not from a handler.
class Server {
 public:
  /// Listens and starts the threads. Fails where the address is taken or unknown, naming it, and
  /// where the certificate or its key is no good.
  [[nodiscard]] static Result<std::unique_ptr<Server>> start(ServerOptions options, Router router);
  /// stop().
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// The port it listens on.
  [[nodiscard]] uint16_t port() const;
  /// Connections that are open now.
  [[nodiscard]] int32_t n_connections() const;

  /// Stops accepting and closes idle connections. Requests that are in are answered, with
  /// "Connection: close".
  void drain();
  /// Waits until no connection is left. False: the time ran out.
  [[nodiscard]] bool wait_until_idle(std::chrono::milliseconds timeout);
  /// drain(), cuts what is still open, and joins the threads. Handlers see a disconnect; one that
  /// does not return within two seconds is destroyed where it waits.
  void stop();

 private:
  class State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace forge::server::http
