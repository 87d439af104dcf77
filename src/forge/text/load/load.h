// The ways a tokenizer comes from files. Every error names the file and the field.
#pragma once

#include <string>
#include <string_view>

#include "forge/base/result.h"
#include "forge/text/load/tokenizer_config.h"
#include "forge/text/tokenizer.h"
#include "forge/text/tokenizer_parts.h"

namespace forge::text {

/// See Tokenizer::load_folder: chooses among the loaders below.
[[nodiscard]] Result<TokenizerParts> load_tokenizer_folder(const std::string& folder);

/// tokenizer.json of the `tokenizers` library, model type BPE.
[[nodiscard]] Result<TokenizerParts> load_tokenizer_json(const std::string& path,
                                                         const TokenizerConfig& config);

/// tokenizer.model: a SentencePiece model of type BPE, or Llama 3's list of ranks ("base64 rank"
/// lines).
[[nodiscard]] Result<TokenizerParts> load_tokenizer_model(const std::string& path,
                                                          const TokenizerConfig& config);

/// vocab.json and merges.txt of byte-level BPE; the config's tokenizer_class says which
/// pre-tokenizer.
[[nodiscard]] Result<TokenizerParts> load_vocab_and_merges(const std::string& folder,
                                                           const TokenizerConfig& config);

[[nodiscard]] Result<TokenizerParts> load_gguf_vocabulary(GgufVocabulary vocabulary,
                                                          std::string_view origin);

}  // namespace forge::text
