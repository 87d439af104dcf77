#include "forge/server/api/api_server.h"

#include <utility>

#include "forge/base/unix_time.h"
#include "forge/server/api/routes.h"
#include "forge/server/http/server.h"

namespace forge::server {
namespace {

constexpr size_t kWorkers = 2;

// The options of a server whose events are counted. The metrics outlive it.
http::ServerOptions counted(http::ServerOptions options, ServerMetrics& metrics) {
  options.on_answer = [&metrics](const std::string& route, int status) {
    metrics.on_response(route.empty() ? "none" : route, status);
  };
  options.on_connection_open = [&metrics] { metrics.on_connection_open(); };
  options.on_connection_closed = [&metrics] { metrics.on_connection_closed(); };
  return options;
}

}  // namespace

ApiContext::ApiContext(Engine& e, ApiServerOptions o, std::unique_ptr<Served> s,
                       boost::asio::thread_pool& w)
    : engine(e),
      options(std::move(o)),
      served_owner(std::move(s)),
      served(served_owner->model()),
      created(seconds_since_1970()),
      workers(w) {}

http::Router make_router(ApiContext& context) {
  http::Router router;
  add_info_routes(context, router);
  add_text_routes(context, router);
  add_call_routes(context, router);
  return router;
}

struct ApiServer::State {
  State(Engine& engine, ApiServerOptions options, std::unique_ptr<Served> served)
      : context(engine, std::move(options), std::move(served), workers) {}

  ApiContext context;
  std::unique_ptr<http::Server> http;  // its handlers use the context
  // NOTE: keep after http. Its tasks go back to the server's threads, or are dropped with it, and
  // both need their io_contexts.
  boost::asio::thread_pool workers{kWorkers};
};

Result<std::unique_ptr<ApiServer>> ApiServer::start(Engine& engine, ApiServerOptions options) {
  options.served.limits.max_waiting = engine.info().max_queue;
  options.served.limits.max_running = engine.info().max_sequences;
  FORGE_TRY(auto served, Served::create(engine, options.served));
  auto state = std::make_unique<State>(engine, std::move(options), std::move(served));
  ApiContext& context = state->context;
  FORGE_TRY(state->http, http::Server::start(counted(context.options.http, context.metrics),
                                             make_router(context)));
  return std::unique_ptr<ApiServer>(new ApiServer(std::move(state)));
}

ApiServer::ApiServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

ApiServer::~ApiServer() { state_->http->stop(); }

uint16_t ApiServer::port() const { return state_->http->port(); }

bool ApiServer::drain(std::chrono::milliseconds timeout) {
  state_->context.is_draining = true;
  state_->http->drain();
  const bool is_idle = state_->http->wait_until_idle(timeout);
  state_->http->stop();
  return is_idle;
}

}  // namespace forge::server
