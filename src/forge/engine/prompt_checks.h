// What a prompt must be for a model and a context.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "forge/base/result.h"

namespace forge::engine {

/// Fails on an id that a vocabulary of this size does not have; what names it in the message.
[[nodiscard]] Status check_ids(std::span<const int32_t> ids, int32_t vocab_size,
                               std::string_view what);

/// Fails where a prompt is empty, or leaves no room for a token in a context (kTooLong), naming
/// both numbers. A prompt may fill the context where no token is wanted (max_tokens 0).
[[nodiscard]] Status check_prompt_length(size_t n_prompt, int32_t context_len, int32_t max_tokens);

}  // namespace forge::engine
