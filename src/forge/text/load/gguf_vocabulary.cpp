#include <cmath>
#include <string>
#include <utility>

#include "forge/text/load/bpe_parts.h"
#include "forge/text/load/load.h"
#include "forge/text/load/patterns.h"
#include "forge/text/load/sentencepiece_parts.h"

namespace forge::text {
namespace {

Result<PieceType> type_of(const GgufVocabulary& vocabulary, size_t id, std::string_view origin) {
  if (vocabulary.token_types.empty()) return PieceType::kNormal;
  const int32_t type = vocabulary.token_types[id];
  if (type == 0) return PieceType::kNormal;  // "undefined" in the format
  if (type < 1 || type > 6) {
    return make_error("{}: tokenizer.ggml.token_type[{}]: {}, expected 0 to 6", origin, id, type);
  }
  return static_cast<PieceType>(type);
}

Status check_sizes(const GgufVocabulary& vocabulary, std::string_view origin) {
  const size_t n = vocabulary.tokens.size();
  if (n == 0) return make_error("{}: tokenizer.ggml.tokens: missing or empty", origin);
  if (!vocabulary.token_types.empty() && vocabulary.token_types.size() != n) {
    return make_error("{}: tokenizer.ggml.token_type: {} entries, expected {}", origin,
                      vocabulary.token_types.size(), n);
  }
  if (vocabulary.model == "llama" && vocabulary.scores.size() != n) {
    return make_error("{}: tokenizer.ggml.scores: {} entries, expected {}", origin,
                      vocabulary.scores.size(), n);
  }
  const std::pair<std::string_view, std::optional<int32_t>> ids[] = {
      {"bos_token_id", vocabulary.bos_id},
      {"eos_token_id", vocabulary.eos_id},
      {"unknown_token_id", vocabulary.unknown_id}};
  for (const auto& entry : ids) {
    if (entry.second && (*entry.second < 0 || static_cast<size_t>(*entry.second) >= n)) {
      return make_error("{}: tokenizer.ggml.{}: {}, but there are {} tokens", origin, entry.first,
                        *entry.second, n);
    }
  }
  return {};
}

Result<TokenizerParts> sentencepiece(const GgufVocabulary& vocabulary, std::string_view origin) {
  std::vector<SentencePieceModel::Piece> pieces;
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    SentencePieceModel::Piece piece{.text = vocabulary.tokens[id], .score = vocabulary.scores[id]};
    if (std::isnan(piece.score)) {
      return make_error("{}: tokenizer.ggml.scores[{}]: not a number", origin, id);
    }
    FORGE_TRY(piece.type, type_of(vocabulary, id, origin));
    pieces.push_back(std::move(piece));
  }
  SentencePieceOptions options;
  options.unknown_id = vocabulary.unknown_id.value_or(0);
  options.dummy_prefix =
      vocabulary.add_space_prefix.value_or(true) ? DummyPrefix::kEachSegment : DummyPrefix::kNever;
  return make_sentencepiece_parts(pieces, options, {}, origin);
}

Result<TokenizerParts> byte_level(const GgufVocabulary& vocabulary, std::string_view origin,
                                  PreTokenizerTraits& traits) {
  TokenizerParts parts;
  auto pieces = std::make_shared<Vocabulary>();
  pieces->reserve(vocabulary.tokens.size(), 10 * vocabulary.tokens.size());
  const std::string where = std::string(origin) + ": tokenizer.ggml.tokens";
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    FORGE_TRY(const PieceType type, type_of(vocabulary, id, origin));
    const std::string& text = vocabulary.tokens[id];
    FORGE_TRY_STATUS(add_piece(*pieces, static_cast<int64_t>(id), text, where));
    const bool is_special = type == PieceType::kControl || type == PieceType::kUnknown;
    parts.bpe.is_model_token.push_back(type == PieceType::kNormal || type == PieceType::kByte);
    if (is_special || type == PieceType::kUserDefined) {
      parts.added_tokens.push_back(
          {.content = text, .id = static_cast<int32_t>(id), .is_special = is_special});
    }
  }
  parts.bpe.vocabulary = pieces;
  const std::string merges_name = std::string(origin) + ": tokenizer.ggml.merges";
  parts.bpe.merges = MergeTable(vocabulary.merges.size());
  MergeListReader reader(parts.bpe, MergeTable::Existing::kKeep, merges_name);
  for (size_t i = 0; i < vocabulary.merges.size(); ++i) {
    const auto merge = split_merge(vocabulary.merges[i]);
    if (!merge) {
      return make_error("{}[{}]: \"{}\", expected \"left right\"", merges_name, i,
                        vocabulary.merges[i]);
    }
    FORGE_TRY_STATUS(reader.add(merge->left, merge->right));
  }
  FORGE_TRY(traits,
            add_pre_tokenizer(vocabulary.pre, std::string(origin) + ": tokenizer.ggml.pre", parts));
  parts.bpe.symbols = BpeSymbols::kBytes;
  parts.bpe.ignore_merges = traits.ignores_merges;
  parts.description = "byte-level BPE, " + vocabulary.pre + " pre-tokenizer";
  return parts;
}

}  // namespace

Result<TokenizerParts> load_gguf_vocabulary(GgufVocabulary vocabulary, std::string_view origin) {
  if (vocabulary.model != "llama" && vocabulary.model != "gpt2") {
    return make_error(
        "{}: tokenizer.ggml.model: \"{}\" is not supported, expected gpt2 (byte-level BPE) or "
        "llama "
        "(SentencePiece BPE)",
        origin, vocabulary.model);
  }
  FORGE_TRY_STATUS(check_sizes(vocabulary, origin));
  const bool is_sentencepiece = vocabulary.model == "llama";
  PreTokenizerTraits traits{.adds_bos = is_sentencepiece};
  TokenizerParts parts;
  if (is_sentencepiece) {
    FORGE_TRY(parts, sentencepiece(vocabulary, origin));
  } else {
    if (vocabulary.pre.empty()) vocabulary.pre = "default";
    FORGE_TRY(parts, byte_level(vocabulary, origin, traits));
  }
  parts.bos_id = vocabulary.bos_id;
  parts.eos_id = vocabulary.eos_id;
  if (vocabulary.add_bos.value_or(traits.adds_bos) && parts.bos_id) {
    parts.prefix_ids = {*parts.bos_id};
  }
  if (vocabulary.add_eos.value_or(false) && parts.eos_id) parts.suffix_ids = {*parts.eos_id};
  parts.chat_template = std::move(vocabulary.chat_template);
  return parts;
}

}  // namespace forge::text
