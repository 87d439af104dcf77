// One HTTP/1.1 connection, plain or TLS, that a client sends requests over one after the other.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/verb.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/function_ref.h"
#include "forge/base/result.h"
#include "forge/server/client/call_record.h"
#include "forge/server/client/url.h"

namespace forge::server::client {

/// A server, looked up once. Outlives its connections.
class HttpTarget {
 public:
  /// Looks the host up, which may block for seconds. For https the server's certificate must be
  /// valid for the host, by the system's authorities or those of the environment's SSL_CERT_FILE.
  [[nodiscard]] static Result<HttpTarget> find(const Url& url, const std::string& api_key);

  [[nodiscard]] const Url& url() const { return url_; }

 private:
  friend class HttpConnection;
  Url url_;
  std::string api_key_;
  std::vector<boost::asio::ip::tcp::endpoint> addresses_;
  std::optional<boost::asio::ssl::context> tls_;
};

struct HttpRequest {
  boost::beast::http::verb method = boost::beast::http::verb::post;
  std::string path;  // after the URL's prefix
  std::string body;  // JSON; empty with GET
  std::chrono::steady_clock::time_point deadline;
};

struct HttpReply {
  unsigned status = 0;             // 0: none came
  std::optional<CallError> error;  // of the transport; any status is fine
  bool keeps_connection = false;   // for the next request
};

/// For one coroutine at a time, on one thread.
class HttpConnection {
 public:
  HttpConnection(boost::asio::any_io_executor executor, HttpTarget& target);

  /// Sends a request, connecting first where there is no connection or the server has closed it
  /// since, and hands out the pieces of the response's body as they arrive. Nothing is ever sent
  /// twice. Everything it is given must live until it is done.
  [[nodiscard]] boost::asio::awaitable<HttpReply> send(
      const HttpRequest& request, FunctionRef<void(unsigned status, std::string_view)> on_body);

 private:
  using Plain = boost::beast::tcp_stream;
  using Tls = boost::beast::ssl_stream<boost::beast::tcp_stream>;

  /// Connected, and nothing has come from the server since its last response: not even the end.
  [[nodiscard]] bool is_usable();
  void close();
  [[nodiscard]] boost::asio::awaitable<std::optional<CallError>> connect(
      std::chrono::steady_clock::time_point deadline);
  template <typename Stream>
  [[nodiscard]] boost::asio::awaitable<HttpReply> exchange(
      Stream& stream, const HttpRequest& request,
      FunctionRef<void(unsigned, std::string_view)> on_body);

  boost::asio::any_io_executor executor_;
  HttpTarget& target_;
  std::optional<Plain> plain_;
  std::optional<Tls> tls_;
};

}  // namespace forge::server::client
