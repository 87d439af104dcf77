// A model for the tests of the API: a vocabulary of bytes with a few tokens more, and short ways to
// call and to read answers.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/json.h"
#include "forge/server/openai/answer.h"
#include "forge/server/openai/call_parsers.h"
#include "forge/server/openai/read_body.h"
#include "forge/server/openai/tokenize.h"

namespace forge::server::openai {

/// Ids 0 to 255 are bytes; the rest is in kMore, of which the first two are special: BOS and the
/// end token.
class ByteTokens final : public Tokens {
 public:
  static constexpr int32_t kBos = 256;
  static constexpr int32_t kEnd = 257;
  static constexpr int32_t kCloseThink = 259;
  static constexpr std::array<std::string_view, 4> kMore = {"<s>", "</s>", "<think>", "</think>"};

  [[nodiscard]] std::vector<int32_t> encode(std::string_view text,
                                            bool add_special) const override {
    std::vector<int32_t> ids;
    if (add_special) ids.push_back(kBos);
    while (!text.empty()) {
      int32_t id = static_cast<unsigned char>(text[0]);
      for (size_t k = 0; k < kMore.size(); ++k) {
        if (text.starts_with(kMore[k])) id = static_cast<int32_t>(256 + k);
      }
      ids.push_back(id);
      text.remove_prefix(token_bytes(id).size());
    }
    return ids;
  }
  [[nodiscard]] std::string decode(std::span<const int32_t> ids) const override {
    std::string text;
    for (const int32_t id : ids) text += token_bytes(id);
    return text;
  }
  [[nodiscard]] std::string token_bytes(int32_t id) const override {
    if (id >= 256) return std::string(kMore[static_cast<size_t>(id - 256)]);
    return std::string(1, static_cast<char>(id));
  }
  [[nodiscard]] bool is_special(int32_t id) const override { return id == kBos || id == kEnd; }
  [[nodiscard]] std::optional<int32_t> find_token(std::string_view spelling) const override {
    for (size_t k = 0; k < kMore.size(); ++k) {
      if (spelling == kMore[k]) return static_cast<int32_t>(256 + k);
    }
    return std::nullopt;
  }
  [[nodiscard]] int32_t vocab_size() const override { return 256 + int32_t{kMore.size()}; }
};

/// A plain template that knows no tags.
inline constexpr std::string_view kPlainTemplate =
    "{% for m in messages %}[{{ m.role }}]{{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}";

inline ChatPrompt compile(std::string_view source) {
  Result<ChatPrompt> chat = ChatPrompt::create(std::string(source), "test", "<s>", "</s>");
  EXPECT_TRUE(chat.ok()) << chat.error().message;
  return std::move(chat).value();
}

/// Serves ByteTokens as "m" and "alias".
struct TestModel {
  explicit TestModel(std::string_view chat_template = kPlainTemplate)
      : chat(compile(chat_template)),
        served{.tokens = tokens,
               .chat = &chat,
               .names = {"m", "alias"},
               .context_len = 1000,
               .hidden_dim = 4,
               .system_fingerprint = "fp_test"} {}

  ByteTokens tokens;
  ChatPrompt chat;
  ServedModel served;
  CallInfo info{.id = "1", .created = 1700000000, .fresh_seed = 99, .client = "key"};

  [[nodiscard]] Parsed<Call> completion(std::string_view body) const {
    return call(body, parse_completion);
  }
  [[nodiscard]] Parsed<Call> chat_call(std::string_view body) const {
    return call(body, parse_chat);
  }
  [[nodiscard]] Parsed<Call> embeddings(std::string_view body) const {
    return call(body, parse_embeddings);
  }
  [[nodiscard]] Parsed<std::string> render(std::string_view body) const {
    return text(body, render_chat);
  }
  [[nodiscard]] Parsed<std::string> tokenize(std::string_view body) const {
    return text(body, tokenize_json);
  }
  [[nodiscard]] Parsed<std::string> detokenize(std::string_view body) const {
    return text(body, detokenize_json);
  }

 private:
  [[nodiscard]] Parsed<Call> call(std::string_view body, ParseCall parse) const {
    return read_body(body, [&](const json::Value& root) { return parse(root, served, info); });
  }
  template <typename F>
  [[nodiscard]] Parsed<std::string> text(std::string_view body, F f) const {
    return read_body(body, [&](const json::Value& root) { return f(root, served); });
  }
};

/// The value, or a failure of the test that shows the error and a default value.
template <typename T>
T value_of(Parsed<T> parsed) {
  if (const auto* error = std::get_if<ApiError>(&parsed)) {
    ADD_FAILURE() << error->message;
    return T();
  }
  return std::move(std::get<T>(parsed));
}

/// The error's message with its param checked to be the part before the first colon, or null where
/// that is the whole body; "" and a failure where there is no error.
template <typename T>
std::string message_of(const Parsed<T>& parsed) {
  const auto* error = std::get_if<ApiError>(&parsed);
  if (error == nullptr) {
    ADD_FAILURE() << "no error";
    return {};
  }
  std::optional<std::string> place = error->message.substr(0, error->message.find(':'));
  if (place == "request body") place.reset();
  EXPECT_EQ(error->param, place) << error->message;
  return error->message;
}

inline json::Document parse_json(std::string_view text) {
  Result<json::Document> document = json::Document::parse(text, "answer");
  EXPECT_TRUE(document.ok()) << document.error().message << " in " << text;
  return std::move(document).value();
}

/// The JSON texts of a stream's events, "[DONE]" included.
inline std::vector<std::string> events_of(std::string_view stream) {
  std::vector<std::string> events;
  while (!stream.empty()) {
    const size_t end = stream.find("\n\n");
    if (end == stream.npos || !stream.starts_with("data: ")) {
      ADD_FAILURE() << "no event: " << stream;
      break;
    }
    events.emplace_back(stream.substr(6, end - 6));
    stream.remove_prefix(end + 2);
  }
  return events;
}

/// News of a choice with a piece of text, one token per byte, each with a log-probability.
inline StreamEvent text_event(int32_t choice, std::string_view text, double logprob = -0.5) {
  StreamEvent event;
  event.choice = choice;
  event.text = text;
  event.ids = ByteTokens().encode(text, false);
  for (const int32_t id : event.ids) {
    event.logprobs.push_back({{id, logprob}, {{id, logprob}, {'z', -3.0}}});
  }
  return event;
}

/// The last news of a choice: its end token.
inline StreamEvent end_event(int32_t choice, FinishReason reason = FinishReason::kEndToken) {
  StreamEvent event;
  event.choice = choice;
  event.finish_reason = reason;
  if (reason == FinishReason::kEndToken) {
    event.ids = {ByteTokens::kEnd};
    event.logprobs = {{{ByteTokens::kEnd, -0.25}, {{ByteTokens::kEnd, -0.25}, {'z', -3.0}}}};
  }
  return event;
}

}  // namespace forge::server::openai
