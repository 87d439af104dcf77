// Log-probabilities of tokens, in the two forms of the OpenAI API.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/json.h"
#include "forge/request.h"
#include "forge/server/openai/tokens.h"

namespace forge::server::openai {

/// The bytes of a token as text. Whole characters stand for themselves; a token that is not valid
/// UTF-8 by itself is prefix and then printable ASCII as it is and all else as \xe2, which is how
/// OpenAI shows one: with prefix "bytes:" in completions, with none in chats.
[[nodiscard]] std::string token_text(std::string_view bytes, std::string_view prefix);

/// One token; without log-probabilities where the model had nothing to go by (a prompt's first).
struct TokenLogprobs {
  int32_t id = 0;
  std::optional<PositionLogprobs> position;
};

/// Writes the "logprobs" objects of one choice of completions. Keeps the place in the text, so each
/// token passes through once, in order.
class CompletionLogprobs {
 public:
  /// skip_special: special tokens leave no text.
  CompletionLogprobs(const Tokens& tokens, bool skip_special)
      : tokens_(tokens), skip_special_(skip_special) {}

  /// {tokens, token_logprobs, top_logprobs, text_offset}. Offsets count code points; a token that
  /// begins inside a character has the offset of that character. top_logprobs holds the chosen
  /// token too; of two tokens with one text the more probable.
  void write(json::Writer& writer, std::span<const TokenLogprobs> entries);

 private:
  int64_t advance(int32_t id, std::string_view bytes);

  const Tokens& tokens_;
  bool skip_special_;
  int64_t n_code_points_ = 0;  // begun so far
};

/// Writes the "logprobs" object of chats: {content: [{token, logprob, bytes, top_logprobs}],
/// refusal}.
void write_chat_logprobs(json::Writer& writer, const Tokens& tokens,
                         std::span<const PositionLogprobs> positions);

}  // namespace forge::server::openai
