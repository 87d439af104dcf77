// One client's connection, from the handshake to the close.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "forge/server/http/connection_response.h"
#include "forge/server/http/deadline.h"
#include "forge/server/http/input.h"
#include "forge/server/http/io_thread.h"
#include "forge/server/http/output.h"
#include "forge/server/http/request_parser.h"
#include "forge/server/http/service.h"
#include "forge/server/http/transport.h"

namespace forge::server::http {

/// Two coroutines that keep the object alive: one reads all the time (Input::run), the other takes
/// request after request from what was read, and runs the handler within itself. Lives on one
/// IoThread; made on any thread, everything else on that one.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  enum class Welcome { kServe, kTurnAway };

  /// tls: null for none. kTurnAway: the client only gets to know that there are too many.
  Connection(Service& service, IoThread& home, asio::ip::tcp::socket socket,
             asio::ssl::context* tls, Welcome welcome);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start();
  /// The service no longer serves: closes if idle.
  void drain() { input_.wake(); }
  /// Cuts the connection.
  void abort();

 private:
  using Clock = Input::Clock;
  enum class First { kYes, kNo };
  using Parse = std::function<RequestParser::Step(std::string_view)>;
  struct ReadOutcome {
    bool is_gone = false;          // the client, before the request was complete
    std::optional<Reply> refusal;  // the request is not served
  };

  static asio::awaitable<void> read(std::shared_ptr<Connection> self);
  static asio::awaitable<void> run(std::shared_ptr<Connection> self);
  void spawn(asio::awaitable<void> coroutine);

  asio::awaitable<bool> shake_hands();
  asio::awaitable<void> turn_away();
  /// True: there are bytes of one.
  asio::awaitable<bool> wait_for_request(First first, Clock::time_point deadline);
  /// header_due: when its header must be there. True: another request may follow.
  asio::awaitable<bool> serve_request(Clock::time_point header_due);
  /// Shows the parser what comes until it has what it wants.
  asio::awaitable<ReadOutcome> read_until_done(RequestParser& parser, Parse parse,
                                               Clock::time_point deadline);
  asio::awaitable<ReadOutcome> read_body(RequestParser& parser, int64_t max_body_bytes);
  asio::awaitable<void> run_handler(const Handler& handler, const Request& request,
                                    ConnectionResponse& response);
  /// The orderly end: lets the client hear what was said last.
  asio::awaitable<void> close();
  /// Closes the socket; what was written still goes out.
  void shut();

  Service& service_;
  IoThread& home_;
  const Welcome welcome_;
  const Clock::time_point start_ = Clock::now();
  const std::string peer_;
  const bool is_tls_;
  std::unique_ptr<Transport> transport_;
  Input input_;
  Output output_;
  Deadline deadline_;           // of the handshake and of the close
  bool leaves_unread_ = false;  // a request was answered without reading it to its end
};

}  // namespace forge::server::http
