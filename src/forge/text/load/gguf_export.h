// A Hugging Face folder's tokenizer in the form that GGUF metadata has for it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "forge/base/result.h"
#include "forge/text/tokenizer.h"

namespace forge::text {

struct GgufExport {
  GgufVocabulary vocabulary;
  std::vector<std::string> notes;  // what GGUF cannot say, for people
};

/// n_rows: rows of the model's embedding, at least the tokenizer's ids; ids without a token get
/// "[PAD<id>]" of type unused, since readers take the number of tokens for that of the rows.
///
/// GGUF has names for pre-tokenizers where tokenizer.json has patterns, and scores where it has
/// merges of SentencePiece pieces. So what is exported is tried: the result gives the folder's ids
/// for texts in many scripts and for the vocabulary's own tokens. Fails where none that GGUF can
/// name does. (llama.cpp's converter knows a tokenizer by the hash of one text's ids.)
[[nodiscard]] Result<GgufExport> export_gguf_vocabulary(const std::string& folder, int32_t n_rows);

}  // namespace forge::text
