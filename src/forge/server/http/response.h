// How a handler answers a request: all at once, or piece by piece.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>

#include "forge/server/http/request.h"

namespace forge::server::http {

namespace asio = boost::asio;

/// A whole answer. Content-Length, Connection, Date, X-Request-Id and the CORS headers are the
/// server's business; control characters in a header's value are sent as spaces.
struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  Headers headers;
};

/// A member of the access log's line.
using LogValue = std::variant<std::string, int64_t>;

/// The answer to one request. It belongs to the connection and lives until the handler returns; it
/// is used on the connection's executor only (where the handler runs), by one coroutine at a time.
/// A handler calls send() once, or begin_stream(), write() as often as it likes, and end_stream().
///
/// NOTE: g++ 12 miscompiles a co_await inside a condition when its call has temporaries with
/// destructors, as in `if (!co_await r.begin_stream(200, "text/plain", {}))`. Keep the result in a
/// variable, and look at that.
class Response {
 public:
  virtual ~Response() = default;

  /// Sends a whole answer. Where the client has gone, it is dropped.
  virtual asio::awaitable<void> send(Reply reply) = 0;

  /// Starts an answer of unknown length: chunks for HTTP/1.1, up to the end of the connection for
  /// HTTP/1.0. False: the client is gone.
  virtual asio::awaitable<bool> begin_stream(int status, std::string content_type,
                                             Headers headers) = 0;
  /// Sends one piece at once. Waits while the client does not read, up to the write timeout; then
  /// the connection is given up. False: the client is gone, and nothing further needs to be
  /// written. The bytes must stay valid until it returns.
  virtual asio::awaitable<bool> write(std::string_view chunk) = 0;
  /// Marks the end of the stream. A handler that returns without it after begin_stream() cuts the
  /// connection, so that the client can tell a part from the whole.
  virtual asio::awaitable<void> end_stream() = 0;

  /// f is called once, on the connection's executor, when the client goes away while the handler
  /// runs; at once, from inside this call, where it has gone already. Replaces the f before it;
  /// dropped when the handler returns. A client that closes its sending side only counts as gone:
  /// is_disconnected() is true and write() answers false, but send() still tries.
  virtual void on_disconnect(std::function<void()> f) = 0;
  [[nodiscard]] virtual bool is_disconnected() const = 0;

  /// Adds a member to this request's line in the access log. Never text of prompts or answers.
  virtual void note(std::string key, LogValue value) = 0;
};

}  // namespace forge::server::http
