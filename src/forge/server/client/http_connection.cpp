#include "forge/server/client/http_connection.h"

#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <utility>

namespace forge::server::client {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

/// The kind of a failure that could come at any moment, else the one of the phase.
CallError call_error(std::string_view phase, const error_code& error) {
  if (error == beast::error::timeout) return {"timeout", fmt::format("{}: timed out", phase)};
  return {std::string(phase), error.message()};
}

http::request<http::string_body> as_beast(const HttpRequest& request, const Url& url,
                                          const std::string& api_key) {
  http::request<http::string_body> message(request.method, url.prefix + request.path, 11);
  message.set(http::field::host, url.authority());
  message.set(http::field::user_agent, "forge-bench");
  if (!api_key.empty()) message.set(http::field::authorization, "Bearer " + api_key);
  if (!request.body.empty()) message.set(http::field::content_type, "application/json");
  message.body() = request.body;
  message.prepare_payload();
  return message;
}

}  // namespace

Result<HttpTarget> HttpTarget::find(const Url& url, const std::string& api_key) {
  HttpTarget target;
  target.url_ = url;
  target.api_key_ = api_key;
  asio::io_context context;
  tcp::resolver resolver(context);
  error_code error;
  const auto found = resolver.resolve(url.host, std::to_string(url.port), error);
  if (error) return make_error("{}: cannot find the host: {}", url.text(), error.message());
  for (const auto& entry : found) target.addresses_.push_back(entry.endpoint());
  if (url.is_tls) {
    target.tls_.emplace(asio::ssl::context::tls_client);
    target.tls_->set_default_verify_paths(error);
    if (error) return make_error("no certificate authorities: {}", error.message());
    target.tls_->set_verify_mode(asio::ssl::verify_peer);
  }
  return target;
}

HttpConnection::HttpConnection(asio::any_io_executor executor, HttpTarget& target)
    : executor_(std::move(executor)), target_(target) {}

asio::awaitable<std::optional<CallError>> HttpConnection::connect(
    std::chrono::steady_clock::time_point deadline) {
  Plain stream(executor_);
  stream.expires_at(deadline);
  const auto [error, endpoint] = co_await stream.async_connect(target_.addresses_, kAwait);
  if (error) co_return call_error("connect", error);
  error_code ignored;  // without it small requests only wait longer
  stream.socket().set_option(tcp::no_delay(true), ignored);
  if (!target_.tls_) {
    plain_.emplace(std::move(stream));
    co_return std::nullopt;
  }
  tls_.emplace(std::move(stream), *target_.tls_);
  const std::string& host = target_.url_.host;
  tls_->set_verify_callback(asio::ssl::host_name_verification(host));
  error_code not_an_address;
  asio::ip::make_address(host, not_an_address);
  // A server that has several names chooses its certificate by it; addresses are not sent (RFC
  // 6066).
  if (not_an_address) SSL_set_tlsext_host_name(tls_->native_handle(), host.c_str());
  const auto [tls_error] = co_await tls_->async_handshake(asio::ssl::stream_base::client, kAwait);
  if (tls_error) {
    close();
    co_return call_error("TLS", tls_error);
  }
  co_return std::nullopt;
}

template <typename Stream>
asio::awaitable<HttpReply> HttpConnection::exchange(
    Stream& stream, const HttpRequest& request,
    FunctionRef<void(unsigned, std::string_view)> on_body) {
  beast::get_lowest_layer(stream).expires_at(request.deadline);
  const http::request<http::string_body> message =
      as_beast(request, target_.url_, target_.api_key_);
  HttpReply reply;
  {
    const auto [error, n_bytes] = co_await http::async_write(stream, message, kAwait);
    if (error) {
      reply.error = call_error("cut off", error);
      co_return reply;
    }
  }
  beast::flat_buffer buffer;
  http::response_parser<http::buffer_body> parser;
  parser.body_limit(boost::none);  // a stream may be of any length
  {
    const auto [error, n_bytes] = co_await http::async_read_header(stream, buffer, parser, kAwait);
    if (error) {
      reply.error = call_error("cut off", error);
      co_return reply;
    }
  }
  reply.status = parser.get().result_int();
  std::array<char, 16 * 1024> piece;
  while (!parser.is_done()) {
    parser.get().body().data = piece.data();
    parser.get().body().size = piece.size();
    parser.get().body().more = true;
    const auto [error, n_bytes] = co_await http::async_read_some(stream, buffer, parser, kAwait);
    const size_t n = piece.size() - parser.get().body().size;
    if (n > 0) on_body(reply.status, {piece.data(), n});
    if (error && error != http::error::need_buffer) {
      reply.error = call_error("cut off", error);
      co_return reply;
    }
  }
  reply.keeps_connection = parser.keep_alive();
  co_return reply;
}

asio::awaitable<HttpReply> HttpConnection::send(
    const HttpRequest& request, FunctionRef<void(unsigned, std::string_view)> on_body) {
  HttpReply reply;
  if (!is_usable()) {
    close();
    reply.error = co_await connect(request.deadline);
    if (reply.error) co_return reply;
  }
  if (tls_) {
    reply = co_await exchange(*tls_, request, on_body);
  } else {
    reply = co_await exchange(*plain_, request, on_body);
  }
  if (reply.error || !reply.keeps_connection) close();
  co_return reply;
}

bool HttpConnection::is_usable() {
  if (!plain_ && !tls_) return false;
  Plain& stream = tls_ ? tls_->next_layer() : *plain_;
  char byte = 0;
  const ssize_t n = ::recv(stream.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void HttpConnection::close() {
  plain_.reset();
  tls_.reset();
}

}  // namespace forge::server::client
