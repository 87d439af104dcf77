#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <variant>

#include "forge/base/unix_time.h"
#include "forge/server/api/call_runner.h"
#include "forge/server/api/off_thread.h"
#include "forge/server/api/routes.h"
#include "forge/server/openai/call_parsers.h"
#include "forge/server/openai/read_body.h"

namespace forge::server {
namespace {

/// Bodies up to this size are read where they came in: about 0.1 ms of tokenizing.
constexpr size_t kSmallBody = 8 << 10;

uint64_t fresh_seed() {
  // 32 bits: short enough to type again.
  static thread_local std::random_device device;
  return device();
}

openai::CallInfo info_of(const http::Request& request) {
  return {.id = request.id,
          .created = seconds_since_1970(),
          .fresh_seed = fresh_seed(),
          .client = request.client};
}

/// What the server's own settings say of every request.
void complete(const ApiContext& context, const http::Request& http, openai::Call& call) {
  const ApiServerOptions& options = context.options;
  for (Request& request : call.requests) {
    if (options.queue_timeout.count() > 0) request.queue_timeout = options.queue_timeout;
    if (options.request_timeout.count() > 0) {
      request.timeout =
          std::min(request.timeout.value_or(options.request_timeout), options.request_timeout);
    }
    if (options.isolates_clients && !http.client.empty()) {
      // A separator that no name of a key contains.
      request.cache_salt = http.client + '\n' + request.cache_salt;
    }
  }
}

asio::awaitable<void> answer(ApiContext& context, openai::ParseCall parse,
                             const http::Request& request, http::Response& response) {
  const openai::CallInfo info = info_of(request);
  const auto read = [&] {
    return openai::read_body(
        request.body, [&](const json::Value& body) { return parse(body, context.served, info); });
  };
  // NOTE: not one ?: of the two; g++ 12 destroys such a result twice.
  std::optional<openai::Parsed<openai::Call>> parsed;
  if (request.body.size() <= kSmallBody) {
    parsed = read();
  } else {
    parsed = co_await off_thread(context.workers, read);
  }
  if (auto* error = std::get_if<openai::ApiError>(&*parsed)) {
    co_await send_error(response, std::move(*error));
    co_return;
  }
  auto& call = std::get<openai::Call>(*parsed);
  if (!call.ignored_fields.empty()) {
    response.note("ignored_fields", fmt::format("{}", fmt::join(call.ignored_fields, ", ")));
  }
  complete(context, request, call);
  co_await run_call(context.engine, std::move(call), response, context.metrics);
}

}  // namespace

void add_call_routes(ApiContext& context, http::Router& router) {
  for (const openai::CallParser& parser : openai::kCallParsers) {
    router.add({.method = "POST",
                .path = std::string(parser.path),
                .handler = [&context, parse = parser.parse](const http::Request& request,
                                                            http::Response& response) {
                  return answer(context, parse, request, response);
                }});
  }
}

}  // namespace forge::server
