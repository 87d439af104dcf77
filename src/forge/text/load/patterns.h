// Pre-tokenizers by the names that GGUF files use for them.
#pragma once

#include <string_view>

#include "forge/base/result.h"
#include "forge/text/tokenizer_parts.h"

namespace forge::text {

/// What a name stands for besides its patterns.
struct PreTokenizerTraits {
  bool ignores_merges = false;
  bool adds_bos = false;  // where the file does not say
};

/// Appends the pre-tokenizer of that name (and its normalizer, NFC for some) and the byte-level
/// decoder to parts. A name that is not known is refused.
[[nodiscard]] Result<PreTokenizerTraits> add_pre_tokenizer(std::string_view name,
                                                           std::string_view origin,
                                                           TokenizerParts& parts);

}  // namespace forge::text
