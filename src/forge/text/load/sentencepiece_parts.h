// From pieces, scores and types, wherever they were read, to a SentencePiece BPE tokenizer.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "forge/base/result.h"
#include "forge/text/load/sentencepiece_model.h"
#include "forge/text/load/tokenizer_config.h"
#include "forge/text/tokenizer_parts.h"

namespace forge::text {

/// How the text's start gets its space.
enum class DummyPrefix {
  kNever,
  kEachSegment,  // after each special token too: "legacy" Llama tokenizers, llama.cpp
  kTextStart,    // only where the text itself starts and has no space there
};

struct SentencePieceOptions {
  DummyPrefix dummy_prefix = DummyPrefix::kEachSegment;
  bool squeezes_spaces = false;  // remove_extra_whitespaces
  std::optional<int32_t> unknown_id;
};

/// Fills everything but the BOS and EOS rules. config's added tokens change the flags of pieces
/// with their content, or are added at their ids.
[[nodiscard]] Result<TokenizerParts> make_sentencepiece_parts(
    const std::vector<SentencePieceModel::Piece>& pieces, const SentencePieceOptions& options,
    const TokenizerConfig& config, std::string_view origin);

}  // namespace forge::text
