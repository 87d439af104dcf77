// The bytes of one connection, in the clear or through TLS.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>
#include <memory>
#include <string_view>

namespace boost::asio::ssl {
class context;
}

namespace forge::server::http {

namespace asio = boost::asio;

/// One connected socket. Everything on the socket's executor; one read and one write may be under
/// way at the same time.
class Transport {
 public:
  virtual ~Transport() = default;

  /// TLS: the handshake. In the clear: nothing.
  virtual asio::awaitable<boost::system::error_code> handshake() = 0;
  /// Reads what has come, at least one byte. 0: the end, or an error.
  virtual asio::awaitable<size_t> read_some(asio::mutable_buffer buffer) = 0;
  /// Writes all of it.
  virtual asio::awaitable<boost::system::error_code> write(std::string_view bytes) = 0;
  /// Says that nothing more will be sent. TLS waits for the client to say the same.
  virtual asio::awaitable<void> end_sending() = 0;

  /// Closes the socket; what is under way ends with an error. What was written still goes out.
  virtual void close() = 0;
  /// close(), and drops what the system still holds for the client.
  virtual void abort() = 0;
};

/// tls: null for none; must outlive the transport.
[[nodiscard]] std::unique_ptr<Transport> make_transport(asio::ip::tcp::socket socket,
                                                        asio::ssl::context* tls);

}  // namespace forge::server::http
