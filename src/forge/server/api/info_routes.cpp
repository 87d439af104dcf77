#include <string>
#include <utility>
#include <vector>

#include "forge/base/json.h"
#include "forge/server/api/call_runner.h"
#include "forge/server/api/routes.h"
#include "forge/server/metrics/exposition.h"
#include "forge/server/openai/models.h"

namespace forge::server {
namespace {

bool is_ready(const ApiContext& context) {
  return !context.is_draining.load() && context.engine.is_responsive(context.options.ready_bound);
}

std::vector<openai::ModelEntry> entries(const ApiContext& context) {
  std::vector<openai::ModelEntry> models;
  for (const std::string& name : context.served.names) {
    models.push_back({.id = name,
                      .created = context.created,
                      .max_model_len = context.served.context_len,
                      .is_ready = is_ready(context)});
  }
  return models;
}

std::string health_json(const ApiContext& context) {
  const ModelInfo& model = context.engine.model().info();
  const EngineInfo& engine = context.engine.info();
  json::Writer json;
  json.begin_object()
      .member("status", context.is_draining.load() ? "draining" : "ok")
      .member("device", engine.device)
      .member("model", context.served.names.front())
      .member("dtype", model.dtype)
      .member("layers", model.n_layers)
      .member("max_length", engine.context_len)
      .member("kv_dtype", engine.kv_dtype)
      .member("kv_cache_tokens", engine.kv_cache_tokens)
      .member("max_sequences", engine.max_sequences)
      .member("threads", engine.n_threads)
      .member("arithmetic", engine.arithmetic)
      .end_object();
  return json.text();
}

http::Reply ready_reply(const ApiContext& context) {
  const bool ready = is_ready(context);
  json::Writer json;
  json.begin_object().member("ready", ready);
  if (!ready) {
    json.member("reason", context.is_draining.load()
                              ? "shutting down"
                              : "the engine has not finished a step for too long");
  }
  json.end_object();
  return {.status = ready ? 200 : 503, .body = json.text(), .headers = {}};
}

asio::awaitable<void> answer_model(const ApiContext& context, const http::Request& request,
                                   http::Response& response) {
  for (const openai::ModelEntry& entry : entries(context)) {
    if (entry.id != request.path_tail) continue;
    http::Reply reply{.body = openai::model_json(entry), .headers = {}};
    co_await response.send(std::move(reply));
    co_return;
  }
  co_await send_error(response, openai::model_not_found(request.path_tail));
}

}  // namespace

void add_info_routes(ApiContext& context, http::Router& router) {
  const auto add = [&](std::string path, http::Access access, auto reply) {
    router.add({.method = "GET",
                .path = std::move(path),
                .handler = [&context, reply](
                               const http::Request&,
                               http::Response& response) { return response.send(reply(context)); },
                .access = access});
  };
  add("/health", http::Access::kPublic,
      [](const ApiContext& c) { return http::Reply{.body = health_json(c), .headers = {}}; });
  add("/ready", http::Access::kPublic, ready_reply);
  add("/metrics", context.options.public_metrics ? http::Access::kPublic : http::Access::kKey,
      [](const ApiContext& c) {
        return http::Reply{
            .content_type = std::string(Exposition::kContentType),
            .body = c.metrics.render(c.engine.stats(), c.engine.model().info(), c.engine.info()),
            .headers = {}};
      });
  add("/v1/models", http::Access::kKey, [](const ApiContext& c) {
    return http::Reply{.body = openai::model_list_json(entries(c)), .headers = {}};
  });
  router.add({.method = "GET",
              .path = "/v1/models/{id}",
              .handler = [&context](const http::Request& request, http::Response& response) {
                return answer_model(context, request, response);
              }});
}

}  // namespace forge::server
