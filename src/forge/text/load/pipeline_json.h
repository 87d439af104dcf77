// The normalizer, pre_tokenizer, post_processor and decoder of a tokenizer.json. A type that is not
// listed here is refused by its name.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "forge/base/result.h"
#include "forge/text/load/json_fields.h"
#include "forge/text/pipeline/decoder.h"
#include "forge/text/pipeline/normalizer.h"
#include "forge/text/pipeline/pre_tokenizer.h"

namespace forge::text {

/// NFC, NFD, NFKC, NFKD, Lowercase, Strip, Prepend, Replace, ByteLevel, Sequence. A missing or null
/// member is an empty chain (here and below).
[[nodiscard]] Result<NormalizerChain> read_normalizers(const JsonObject& root);

struct PreTokenizers {
  PreTokenizerChain chain;
  bool gives_bytes = false;  // the last one is ByteLevel and leaves the bytes to the model
};

/// ByteLevel, Split, Digits, Metaspace, Punctuation, Whitespace, WhitespaceSplit,
/// CharDelimiterSplit, Sequence.
[[nodiscard]] Result<PreTokenizers> read_pre_tokenizers(const JsonObject& root);

/// What surrounds an encoded text.
struct Surroundings {
  std::vector<int32_t> prefix_ids;
  std::vector<int32_t> suffix_ids;
};

/// TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel, Sequence. n_ids bounds the
/// ids.
[[nodiscard]] Result<Surroundings> read_post_processor(const JsonObject& root, int32_t n_ids);

/// ByteLevel, ByteFallback, Metaspace, Fuse, Strip, Replace, Sequence; null joins tokens by spaces.
[[nodiscard]] Result<DecoderChain> read_decoders(const JsonObject& root);

/// Flattens nested Sequences: the objects that do something, in order. list_key names the member
/// that holds a Sequence's parts.
[[nodiscard]] Result<std::vector<JsonObject>> flatten_sequence(const JsonObject& root,
                                                               std::string_view key,
                                                               std::string_view list_key);

/// {"String": s} or {"Regex": r}, neither empty.
struct TextPattern {
  std::optional<std::string> literal;
  std::optional<Regex> regex;
};
[[nodiscard]] Result<TextPattern> read_pattern(const JsonObject& owner);

/// How Metaspace treats the start of a text (prepend_scheme, or the older add_prefix_space).
[[nodiscard]] Result<PrefixSpace> read_prepend_scheme(const JsonObject& metaspace);

}  // namespace forge::text
