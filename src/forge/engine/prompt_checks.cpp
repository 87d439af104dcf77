#include "forge/engine/prompt_checks.h"

namespace forge::engine {

Status check_ids(std::span<const int32_t> ids, int32_t vocab_size, std::string_view what) {
  for (const int32_t id : ids) {
    if (id >= 0 && id < vocab_size) continue;
    return make_error("{} {} is not in the model's vocabulary of 0 to {}", what, id,
                      vocab_size - 1);
  }
  return {};
}

Status check_prompt_length(size_t n_prompt, int32_t context_len, int32_t max_tokens) {
  const auto n = static_cast<int64_t>(n_prompt);
  if (n == 0) return make_error("the prompt is empty: it has no tokens to continue");
  if (n < context_len || (n == context_len && max_tokens == 0)) return {};
  Error error =
      n > context_len
          ? make_error("the prompt has {} tokens, the context holds {}", n, context_len)
          : make_error("the prompt has {} tokens and fills the context of {}: no room to generate",
                       n, context_len);
  error.kind = ErrorKind::kTooLong;
  return error;
}

}  // namespace forge::engine
