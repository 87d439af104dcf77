#include "forge/server/client/stream_chunk.h"

#include <algorithm>
#include <array>

#include "forge/base/json.h"
#include "forge/base/utf8.h"

namespace forge::server::client {
namespace {

bool is_filled(json::Value value) {
  const auto text = value.as_string();
  return text ? !text->empty() : value.size() > 0;
}

bool has_content(json::Value choice) {
  // "text" is of completions, "delta" of chat; the two names of reasoning are both in use.
  const json::Value delta = choice.find("delta");
  const std::array parts = {choice.find("text"), delta.find("content"),
                            delta.find("reasoning_content"), delta.find("reasoning"),
                            delta.find("tool_calls")};
  return std::any_of(parts.begin(), parts.end(), is_filled);
}

std::optional<std::string_view> message_of(json::Value root) {
  const json::Value error = root.find("error");
  for (const json::Value value :
       {error.find("message"), error, root.find("message"), root.find("detail")}) {
    if (const auto text = value.as_string()) return text;
  }
  return std::nullopt;
}

std::string shorten(std::string_view text) {
  constexpr size_t kMaxBytes = 200;
  std::string line(text.substr(0, complete_utf8_prefix(text.substr(0, kMaxBytes))));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return line;
}

}  // namespace

Result<StreamChunk> parse_stream_chunk(std::string_view data) {
  StreamChunk chunk;
  if (data == "[DONE]") {
    chunk.is_done = true;
    return chunk;
  }
  FORGE_TRY(const json::Document document, json::Document::parse(data, "event"));
  const json::Value root = document.root();
  if (!root.is_object()) return make_error("event: expected an object, found {}", shorten(data));
  if (const json::Value error = root.find("error"); !error.is_missing() && !error.is_null()) {
    const auto message = message_of(root);
    chunk.error = message ? shorten(*message) : shorten(error.dump());
  }
  const json::Value choices = root.find("choices");
  const size_t n_choices = choices.is_array() ? choices.size() : 0;
  for (size_t i = 0; i < n_choices; ++i) chunk.has_content |= has_content(choices.at(i));
  const json::Value usage = root.find("usage");
  const auto prompt = usage.find("prompt_tokens").as_int();
  const auto completion = usage.find("completion_tokens").as_int();
  if (prompt && completion) chunk.usage = TokenUsage{*prompt, *completion};
  return chunk;
}

std::string error_message(std::string_view body) {
  const auto document = json::Document::parse(body, "body");
  if (document.ok()) {
    if (const auto message = message_of(document->root())) return shorten(*message);
  }
  return shorten(body);
}

}  // namespace forge::server::client
