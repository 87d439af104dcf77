#include <string>
#include <utility>
#include <variant>

#include "forge/server/api/call_runner.h"
#include "forge/server/api/off_thread.h"
#include "forge/server/api/routes.h"
#include "forge/server/openai/chat_request.h"
#include "forge/server/openai/read_body.h"
#include "forge/server/openai/tokenize.h"

namespace forge::server {
namespace {

using Work = openai::Parsed<std::string> (*)(const json::Value& body,
                                             const openai::ServedModel& served);

asio::awaitable<void> answer(ApiContext& context, Work work, const http::Request& request,
                             http::Response& response) {
  const auto run = [&] {
    return openai::read_body(request.body,
                             [&](const json::Value& body) { return work(body, context.served); });
  };
  openai::Parsed<std::string> result = co_await off_thread(context.workers, run);
  if (auto* error = std::get_if<openai::ApiError>(&result)) {
    co_await send_error(response, std::move(*error));
  } else {
    http::Reply reply{.body = std::move(std::get<std::string>(result)), .headers = {}};
    co_await response.send(std::move(reply));
  }
}

}  // namespace

void add_text_routes(ApiContext& context, http::Router& router) {
  const auto add = [&](std::string path, Work work) {
    router.add(
        {.method = "POST",
         .path = std::move(path),
         .handler = [&context, work](const http::Request& request, http::Response& response) {
           return answer(context, work, request, response);
         }});
  };
  add("/v1/chat/completions/render", openai::render_chat);
  add("/tokenize", openai::tokenize_json);
  add("/detokenize", openai::detokenize_json);
}

}  // namespace forge::server
