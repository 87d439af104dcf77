#include "forge/server/http/listener.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <string>
#include <utility>

#include "forge/server/http/connection.h"

namespace forge::server::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;

// Without file descriptors accept() fails at once, again and again; some will be closed meanwhile.
constexpr std::chrono::milliseconds kPauseAfterFault{100};

}  // namespace

Listener::Listener(Service& service, asio::ssl::context* tls, IoThreads& threads)
    : service_(service), tls_(tls), threads_(threads), acceptor_(threads.front()->context()) {}

Status Listener::open() {
  const auto& [host, port] = std::pair(service_.options.host, service_.options.port);
  error_code error;
  Tcp::resolver resolver(threads_.front()->context());
  const auto found = resolver.resolve(host, std::to_string(port), Tcp::resolver::passive, error);
  if (error || found.empty()) {
    return make_error("cannot listen on {}:{}: no address of that name: {}", host, port,
                      error.message());
  }
  const Tcp::endpoint endpoint = found.begin()->endpoint();
  acceptor_.open(endpoint.protocol(), error);
  // A restart need not wait for the old connections' TIME_WAIT. No SO_REUSEPORT: two servers on
  // one port by accident would each get half of the clients.
  if (!error) acceptor_.set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    const bool is_taken = error == asio::error::address_in_use;
    return make_error("cannot listen on {}:{}: {}{}", host, port, error.message(),
                      is_taken ? ": another --port, or 0 for any free one" : "");
  }
  port_ = acceptor_.local_endpoint().port();
  return {};
}

void Listener::start() { asio::co_spawn(threads_.front()->context(), run(), asio::detached); }

void Listener::deal(Tcp::socket socket, IoThread& home) {
  error_code ignored;
  // A token is a small packet that must not wait for the next one; and a client that vanished
  // without a word should be found some day.
  socket.set_option(Tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  const auto welcome = service_.n_served < service_.options.max_connections
                           ? Connection::Welcome::kServe
                           : Connection::Welcome::kTurnAway;
  auto connection = std::make_shared<Connection>(service_, home, std::move(socket), tls_, welcome);
  asio::post(home.context(), [connection = std::move(connection)] { connection->start(); });
}

asio::awaitable<void> Listener::run() {
  bool had_fault = false;
  asio::steady_timer pause(threads_.front()->context());
  while (acceptor_.is_open()) {
    IoThread& home = next_home();
    error_code error;
    Tcp::socket socket = co_await acceptor_.async_accept(
        home.context(), asio::redirect_error(asio::use_awaitable, error));
    if (!error) {
      had_fault = false;
      deal(std::move(socket), home);
      continue;
    }
    // Aborted: the client changed its mind, or drain() closed the acceptor.
    if (error == asio::error::connection_aborted || error == asio::error::operation_aborted) {
      continue;
    }
    if (!std::exchange(had_fault, true)) {
      service_.report(
          fmt::format("new connections wait: accept: {} (trying on; for more open files see "
                      "ulimit -n and --max-connections)",
                      error.message()));
    }
    pause.expires_after(kPauseAfterFault);
    co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
}

void Listener::drain() {
  error_code error;
  acceptor_.non_blocking(true, error);
  while (!error) {
    IoThread& home = next_home();
    Tcp::socket socket(home.context());
    acceptor_.accept(socket, error);
    if (!error) deal(std::move(socket), home);
  }
  acceptor_.close(error);
}

}  // namespace forge::server::http
