// Takes new connections in and deals them to the threads.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "forge/base/result.h"
#include "forge/server/http/io_thread.h"
#include "forge/server/http/service.h"

namespace boost::asio::ssl {
class context;
}

namespace forge::server::http {

using IoThreads = std::vector<std::unique_ptr<IoThread>>;

/// Listens on one address, on the first io thread. To be destroyed when the threads have stopped
/// and their contexts are still there.
class Listener {
 public:
  /// tls: null for none. Service, tls and threads must outlive the listener.
  Listener(Service& service, boost::asio::ssl::context* tls, IoThreads& threads);

  /// Looks the host up, binds and listens, before start().
  [[nodiscard]] Status open();
  [[nodiscard]] uint16_t port() const { return port_; }
  void start();

  /// Takes in who is waiting already, then closes. On the first io thread.
  void drain();

 private:
  boost::asio::awaitable<void> run();
  IoThread& next_home() { return *threads_[n_dealt_++ % threads_.size()]; }
  void deal(boost::asio::ip::tcp::socket socket, IoThread& home);

  Service& service_;
  boost::asio::ssl::context* const tls_;
  IoThreads& threads_;
  boost::asio::ip::tcp::acceptor acceptor_;
  uint16_t port_ = 0;
  size_t n_dealt_ = 0;
};

}  // namespace forge::server::http
