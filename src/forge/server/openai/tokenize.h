// POST /tokenize and /detokenize, as vLLM has them.
#pragma once

#include <string>
#include <string_view>

#include "forge/server/openai/api_error.h"
#include "forge/server/openai/served_model.h"

namespace forge::server::openai {

/// {"prompt" | "messages" and what goes with them, "add_special_tokens", "return_token_strs"} to
/// {"count", "max_model_len", "tokens", "token_strs"}.
[[nodiscard]] Parsed<std::string> tokenize_json(const json::Value& body, const ServedModel& served);

/// {"tokens"} to {"prompt"}; special tokens are written out.
[[nodiscard]] Parsed<std::string> detokenize_json(const json::Value& body,
                                                  const ServedModel& served);

}  // namespace forge::server::openai
