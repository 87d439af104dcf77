// The handlers behind the API's routes.
#pragma once

#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <memory>

#include "forge/engine.h"
#include "forge/server/api/api_server.h"
#include "forge/server/api/served.h"
#include "forge/server/http/router.h"
#include "forge/server/metrics/server_metrics.h"

namespace forge::server {

/// What handlers share; outlives the HTTP server, except for the workers, which end before it.
struct ApiContext {
  ApiContext(Engine& e, ApiServerOptions o, std::unique_ptr<Served> s, boost::asio::thread_pool& w);

  Engine& engine;
  const ApiServerOptions options;
  const std::unique_ptr<Served> served_owner;
  const openai::ServedModel& served;
  const int64_t created;  // seconds since 1970: when the server started
  ServerMetrics metrics;
  std::atomic<bool> is_draining{false};
  /// Reads large bodies: parsing, templates, tokens.
  boost::asio::thread_pool& workers;
};

/// All routes. The context must outlive the router.
[[nodiscard]] http::Router make_router(ApiContext& context);

/// Routes that answer without the engine's work: health, models, metrics (info_routes.cpp).
void add_info_routes(ApiContext& context, http::Router& router);
/// Routes that read a body and answer at once: tokenize, render (text_routes.cpp).
void add_text_routes(ApiContext& context, http::Router& router);
/// Routes that generate or embed (call_routes.cpp).
void add_call_routes(ApiContext& context, http::Router& router);

}  // namespace forge::server
