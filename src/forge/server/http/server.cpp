#include "forge/server/http/server.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "forge/base/check.h"
#include "forge/server/http/connection.h"
#include "forge/server/http/listener.h"
#include "forge/server/http/tls_context.h"

namespace forge::server::http {

class Server::State {
 public:
  State(ServerOptions options, Router router) : service_(std::move(options), std::move(router)) {}
  ~State() {
    stop();
    listener_.reset();
    // In this order: an accept that waits in the first one holds a socket of another.
    for (auto& thread : threads_) thread.reset();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Status start() {
    const ServerOptions& options = service_.options;
    if (options.tls_cert.empty() != options.tls_key.empty()) {
      return make_error("TLS takes a certificate and a key, not one of them alone");
    }
    if (!options.tls_cert.empty()) {
      FORGE_TRY(tls_, load_tls_context(options.tls_cert, options.tls_key));
    }
    FORGE_CHECK(options.n_threads > 0, "{} io threads", options.n_threads);
    for (int32_t i = 0; i < options.n_threads; ++i) {
      threads_.push_back(std::make_unique<IoThread>());
    }
    listener_ = std::make_unique<Listener>(service_, tls_.get(), threads_);
    FORGE_TRY_STATUS(listener_->open());
    listener_->start();
    for (auto& thread : threads_) thread->start();
    return {};
  }

  void drain() {
    Phase serving = Phase::kServing;
    if (!service_.phase.compare_exchange_strong(serving, Phase::kDraining)) return;
    asio::post(threads_.front()->context(), [this] { listener_->drain(); });
    for_each_connection([](Connection& connection) { connection.drain(); });
  }

  void stop() {
    // Without a listener start() failed before there was anything to stop.
    if (is_stopped_ || !listener_) return;
    is_stopped_ = true;
    drain();
    service_.phase = Phase::kStopping;
    for_each_connection([](Connection& connection) { connection.abort(); });
    (void)service_.connections.wait_until_none(std::chrono::seconds(2));
    for (auto& thread : threads_) thread->stop();
  }

  Service& service() { return service_; }
  const Listener& listener() const { return *listener_; }

 private:
  template <typename F>
  void for_each_connection(F f) {
    for (auto& thread : threads_) {
      asio::post(thread->context(), [home = thread.get(), f] { home->for_each(f); });
    }
  }

  Service service_;
  std::unique_ptr<asio::ssl::context> tls_;
  IoThreads threads_;
  std::unique_ptr<Listener> listener_;
  bool is_stopped_ = false;
};

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, Router router) {
  auto state = std::make_unique<State>(std::move(options), std::move(router));
  FORGE_TRY_STATUS(state->start());
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

uint16_t Server::port() const { return state_->listener().port(); }

int32_t Server::n_connections() const { return state_->service().connections.count(); }

void Server::drain() { state_->drain(); }

bool Server::wait_until_idle(std::chrono::milliseconds timeout) {
  return state_->service().connections.wait_until_none(timeout);
}

void Server::stop() { state_->stop(); }

}  // namespace forge::server::http
