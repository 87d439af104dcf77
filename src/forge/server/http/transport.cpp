#include "forge/server/http/transport.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <type_traits>
#include <utility>

namespace forge::server::http {
namespace {

using boost::system::error_code;
using Tcp = asio::ip::tcp;
using Tls = asio::ssl::stream<Tcp::socket>;

template <typename Stream>
class StreamTransport final : public Transport {
 public:
  static constexpr bool kIsTls = std::is_same_v<Stream, Tls>;

  template <typename... Args>
  explicit StreamTransport(Args&&... args) : stream_(std::forward<Args>(args)...) {}

  asio::awaitable<error_code> handshake() override {
    error_code error;
    if constexpr (kIsTls) {
      co_await stream_.async_handshake(asio::ssl::stream_base::server,
                                       asio::redirect_error(asio::use_awaitable, error));
    }
    co_return error;
  }

  asio::awaitable<size_t> read_some(asio::mutable_buffer buffer) override {
    error_code error;
    const size_t n =
        co_await stream_.async_read_some(buffer, asio::redirect_error(asio::use_awaitable, error));
    co_return error ? 0 : n;
  }

  asio::awaitable<error_code> write(std::string_view bytes) override {
    error_code error;
    co_await asio::async_write(stream_, asio::buffer(bytes),
                               asio::redirect_error(asio::use_awaitable, error));
    co_return error;
  }

  asio::awaitable<void> end_sending() override {
    error_code ignored;
    if constexpr (kIsTls) {
      co_await stream_.async_shutdown(asio::redirect_error(asio::use_awaitable, ignored));
    }
    socket().shutdown(Tcp::socket::shutdown_send, ignored);
    co_return;
  }

  void close() override {
    error_code ignored;
    socket().close(ignored);
  }

  void abort() override {
    error_code ignored;
    socket().set_option(asio::socket_base::linger(true, 0), ignored);
    socket().close(ignored);
  }

 private:
  Tcp::socket& socket() {
    if constexpr (kIsTls) {
      return stream_.next_layer();
    } else {
      return stream_;
    }
  }

  Stream stream_;
};

}  // namespace

std::unique_ptr<Transport> make_transport(Tcp::socket socket, asio::ssl::context* tls) {
  if (tls != nullptr) return std::make_unique<StreamTransport<Tls>>(std::move(socket), *tls);
  return std::make_unique<StreamTransport<Tcp::socket>>(std::move(socket));
}

}  // namespace forge::server::http
