// Vocabularies in tiktoken's format: one "base64-bytes rank" a line.
#pragma once

#include <string_view>

#include "forge/base/result.h"
#include "forge/text/tokenizer_parts.h"

namespace forge::text {

/// Whether the first line is of that form; a SentencePiece model never is.
[[nodiscard]] bool looks_like_tiktoken(std::string_view bytes);

/// Llama 3's tokenizer.model. The file holds no pattern and no special tokens; both are known for
/// this vocabulary of 128,000 only, so that any other size is refused. Source: llama-models,
/// llama3/tokenizer (Meta).
[[nodiscard]] Result<TokenizerParts> load_llama3_ranks(std::string_view bytes,
                                                       std::string_view origin);

}  // namespace forge::text
