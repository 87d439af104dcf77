#include <algorithm>
#include <chrono>
#include <optional>
#include <random>
#include <string_view>
#include <utility>
#include <variant>

#include "forge/server/api/call_runner.h"
#include "forge/server/api/off_thread.h"
#include "forge/server/api/routes.h"
#include "forge/server/openai/chat_request.h"
#include "forge/server/openai/completion_request.h"
#include "forge/server/openai/embeddings.h"

namespace forge::server {
namespace {

/// Bodies up to this size are read where they came in: about 0.1 ms of tokenizing.
constexpr size_t kSmallBody = 8 << 10;

using Parse = openai::Parsed<openai::Call> (*)(std::string_view body,
                                               const openai::ServedModel& served,
                                               const openai::CallInfo& info);

uint64_t fresh_seed() {
  // 32 bits: short enough to type again.
  static thread_local std::random_device device;
  return device();
}

openai::CallInfo info_of(const http::Request& request) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {.id = request.id,
          .created = std::chrono::duration_cast<std::chrono::seconds>(now).count(),
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

asio::awaitable<void> answer(ApiContext& context, Parse parse, const http::Request& request,
                             http::Response& response) {
  const openai::CallInfo info = info_of(request);
  const auto read = [&] { return parse(request.body, context.served, info); };
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
  for (const std::string& field : call.ignored_fields) response.note("ignored_field", field);
  complete(context, request, call);
  co_await run_call(context.engine, std::move(call), response, context.metrics);
}

}  // namespace

void add_call_routes(ApiContext& context, http::Router& router) {
  const auto add = [&](std::string path, Parse parse) {
    router.add(
        {.method = "POST",
         .path = std::move(path),
         .handler = [&context, parse](const http::Request& request, http::Response& response) {
           return answer(context, parse, request, response);
         }});
  };
  add("/v1/completions", openai::parse_completion);
  add("/v1/chat/completions", openai::parse_chat);
  add("/v1/embeddings", openai::parse_embeddings);
}

}  // namespace forge::server
