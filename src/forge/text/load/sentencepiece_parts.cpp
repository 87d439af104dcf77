#include "forge/text/load/sentencepiece_parts.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "forge/text/bpe/score_merges.h"
#include "forge/text/load/bpe_parts.h"

namespace forge::text {
namespace {

constexpr std::string_view kSpaceMark = "\xE2\x96\x81";  // U+2581

bool is_found_in_text(PieceType type) {
  return type == PieceType::kControl || type == PieceType::kUnknown ||
         type == PieceType::kUserDefined;
}

// Control and unknown pieces are special; user defined ones are found as they are.
std::vector<AddedToken> added_pieces(const std::vector<SentencePieceModel::Piece>& pieces) {
  std::vector<AddedToken> tokens;
  for (size_t id = 0; id < pieces.size(); ++id) {
    if (!is_found_in_text(pieces[id].type)) continue;
    AddedToken token{.content = pieces[id].text, .id = static_cast<int32_t>(id)};
    token.is_special = pieces[id].type != PieceType::kUserDefined;
    if (!token.is_special) token.content = replace_all(token.content, kSpaceMark, " ");
    tokens.push_back(std::move(token));
  }
  return tokens;
}

Status add_config_tokens(const TokenizerConfig& config, Vocabulary& vocabulary,
                         std::vector<AddedToken>& tokens) {
  for (AddedToken token : config.added_tokens) {
    if (token.content.empty()) continue;
    const auto known = vocabulary.find(token.content);
    if (!known) {
      FORGE_TRY_STATUS(
          add_piece(vocabulary, token.id, token.content, config.path + ": added_tokens_decoder"));
    } else if (*known != token.id) {
      return make_error("{}: added_tokens_decoder: id {} for \"{}\", which is {} in the model",
                        config.path, token.id, token.content, *known);
    }
    const auto same = std::find_if(tokens.begin(), tokens.end(),
                                   [&](const AddedToken& other) { return other.id == token.id; });
    if (same != tokens.end()) {
      *same = std::move(token);
    } else {
      tokens.push_back(std::move(token));
    }
  }
  return {};
}

void add_pipeline(const SentencePieceOptions& options, TokenizerParts& parts) {
  const std::string mark(kSpaceMark);
  if (options.squeezes_spaces) parts.normalizers.push_back(make_squeeze_spaces());
  if (options.dummy_prefix == DummyPrefix::kEachSegment) {
    parts.normalizers.push_back(make_prepend(mark));
  }
  if (options.dummy_prefix == DummyPrefix::kTextStart) {
    parts.pre_tokenizers.push_back(make_metaspace(mark, PrefixSpace::kFirst, false));
  } else {
    parts.normalizers.push_back(make_replace(" ", mark));
  }
  parts.decoders.push_back(make_replace_decoder(mark, " "));
  parts.decoders.push_back(make_byte_fallback_decoder());
  parts.decoders.push_back(make_fuse_decoder());
  if (options.dummy_prefix != DummyPrefix::kNever) {
    parts.decoders.push_back(make_strip_decoder(" ", 1, 0));
  }
}

}  // namespace

Result<TokenizerParts> make_sentencepiece_parts(
    const std::vector<SentencePieceModel::Piece>& pieces, const SentencePieceOptions& options,
    const TokenizerConfig& config, std::string_view origin) {
  auto vocabulary = std::make_shared<Vocabulary>();
  vocabulary->reserve(pieces.size(), 16 * pieces.size());
  std::vector<float> scores;
  std::vector<bool> is_mergeable;
  for (const SentencePieceModel::Piece& piece : pieces) {
    if (piece.text.empty()) return make_error("{}: piece {} is empty", origin, scores.size());
    const auto id = static_cast<int64_t>(scores.size());
    FORGE_TRY_STATUS(add_piece(*vocabulary, id, piece.text, origin));
    scores.push_back(piece.score);
    is_mergeable.push_back(piece.type == PieceType::kNormal ||
                           piece.type == PieceType::kUserDefined);
  }
  TokenizerParts parts;
  parts.added_tokens = added_pieces(pieces);
  FORGE_TRY_STATUS(add_config_tokens(config, *vocabulary, parts.added_tokens));
  scores.resize(static_cast<size_t>(vocabulary->size()), 0.0F);
  is_mergeable.resize(scores.size(), false);
  ScoreMerges merges = merges_from_scores(*vocabulary, scores, is_mergeable);
  parts.bpe.vocabulary = vocabulary;
  parts.bpe.is_model_token = is_mergeable;
  parts.bpe.merges = std::move(merges.merges);
  parts.bpe.extra_symbols = std::move(merges.extra_symbols);
  parts.bpe.symbols = BpeSymbols::kCharacters;
  parts.bpe.byte_fallback = true;
  parts.bpe.fuse_unknown = true;
  parts.bpe.unknown_id = options.unknown_id;
  add_pipeline(options, parts);
  parts.description = "SentencePiece BPE";
  return parts;
}

}  // namespace forge::text
