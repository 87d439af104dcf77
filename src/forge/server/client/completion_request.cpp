#include "forge/server/client/completion_request.h"

#include "forge/base/check.h"
#include "forge/base/json.h"

namespace forge::server::client {

std::string_view path(Route route) {
  return route == Route::kChat ? "/chat/completions" : "/completions";
}

std::string CompletionRequest::body(const Prompt& prompt) const {
  json::Writer json;
  json.begin_object().member("model", model);
  const auto* text = std::get_if<std::string>(&prompt);
  if (route == Route::kChat) {
    FORGE_CHECK(text != nullptr, "a chat message of token ids");
    json.key("messages").begin_array().begin_object();
    json.member("role", "user").member("content", *text).end_object().end_array();
  } else if (text != nullptr) {
    json.member("prompt", *text);
  } else {
    json.key("prompt").begin_array();
    for (const int32_t id : std::get<std::vector<int32_t>>(prompt)) json.value(id);
    json.end_array();
  }
  json.member("max_tokens", n_output).member("temperature", 0).member("stream", true);
  if (extensions.include_usage) {
    json.key("stream_options").begin_object().member("include_usage", true).end_object();
  }
  if (extensions.ignore_eos) json.member("ignore_eos", true);
  json.end_object();
  return json.text();
}

}  // namespace forge::server::client
