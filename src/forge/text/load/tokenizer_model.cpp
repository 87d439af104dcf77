#include <string>

#include "forge/base/mapped_file.h"
#include "forge/text/load/bpe_parts.h"
#include "forge/text/load/limits.h"
#include "forge/text/load/load.h"
#include "forge/text/load/sentencepiece_model.h"
#include "forge/text/load/sentencepiece_parts.h"
#include "forge/text/load/tiktoken.h"

namespace forge::text {
namespace {

std::string_view model_type_name(int64_t type) {
  switch (type) {
    case 1:
      return "Unigram";
    case 2:
      return "BPE";
    case 3:
      return "word";
    case 4:
      return "character";
    default:
      return "unknown";
  }
}

// What changes the result and is not implemented is refused by its name.
Status check_usable(const SentencePieceModel& model, const std::string& path) {
  if (model.pieces.empty())
    return make_error("{}: no pieces, expected a SentencePiece model", path);
  if (model.model_type != 2) {
    return make_error("{}: trainer_spec.model_type: {} ({}) is not supported, expected 2 (BPE)",
                      path, model.model_type, model_type_name(model.model_type));
  }
  if (!model.has_normalizer) return make_error("{}: no normalizer_spec", path);
  if (model.has_charsmap) {
    return make_error("{}: normalizer_spec \"{}\" with a character map is not supported", path,
                      model.normalizer_name);
  }
  if (model.treats_whitespace_as_suffix) {
    return make_error("{}: trainer_spec.treat_whitespace_as_suffix is not supported", path);
  }
  if (!model.escape_whitespaces) {
    return make_error("{}: normalizer_spec.escape_whitespaces false is not supported", path);
  }
  for (const SentencePieceModel::Piece& piece : model.pieces) {
    if (piece.type == PieceType::kUnused) {
      return make_error("{}: piece \"{}\" of type UNUSED is not supported", path, piece.text);
    }
  }
  return {};
}

// An id of the trainer spec: -1 means none.
Result<std::optional<int32_t>> checked_id(int64_t id, size_t n_pieces, std::string_view name,
                                          const std::string& path) {
  // Protobuf writes a negative int32 as a 64-bit varint.
  if (id < 0) return std::optional<int32_t>();
  if (id >= static_cast<int64_t>(n_pieces)) {
    return make_error("{}: trainer_spec.{}: {}, but there are {} pieces", path, name, id, n_pieces);
  }
  return std::optional<int32_t>(static_cast<int32_t>(id));
}

Result<TokenizerParts> from_sentencepiece(const SentencePieceModel& model, const std::string& path,
                                          const TokenizerConfig& config) {
  FORGE_TRY_STATUS(check_usable(model, path));
  SentencePieceOptions options;
  options.squeezes_spaces = model.remove_extra_whitespaces;
  FORGE_TRY(options.unknown_id, checked_id(model.unk_id, model.pieces.size(), "unk_id", path));
  const bool wants_prefix = config.add_prefix_space.value_or(true) && model.add_dummy_prefix;
  // Without the entry, transformers takes the older behaviour.
  const bool is_legacy = config.legacy.value_or(true);
  options.dummy_prefix = !wants_prefix ? DummyPrefix::kNever
                         : is_legacy   ? DummyPrefix::kEachSegment
                                       : DummyPrefix::kTextStart;
  FORGE_TRY(TokenizerParts parts, make_sentencepiece_parts(model.pieces, options, config, path));
  FORGE_TRY(parts.bos_id, checked_id(model.bos_id, model.pieces.size(), "bos_id", path));
  FORGE_TRY(parts.eos_id, checked_id(model.eos_id, model.pieces.size(), "eos_id", path));
  return parts;
}

}  // namespace

Result<TokenizerParts> load_tokenizer_model(const std::string& path,
                                            const TokenizerConfig& config) {
  FORGE_TRY(const MappedFile file, MappedFile::open(path));
  const std::string_view bytes(reinterpret_cast<const char*>(file.bytes().data()),
                               file.bytes().size());
  TokenizerParts parts;
  if (looks_like_tiktoken(bytes)) {
    FORGE_TRY(parts, load_llama3_ranks(bytes, path));
  } else {
    FORGE_TRY(const SentencePieceModel model, parse_sentencepiece_model(bytes, path));
    FORGE_TRY(parts, from_sentencepiece(model, path, config));
  }
  FORGE_TRY_STATUS(set_named_tokens(parts, config));
  // The families that ship such files start every text with BOS and do not end it.
  if (config.add_bos.value_or(true) && parts.bos_id) parts.prefix_ids = {*parts.bos_id};
  if (config.add_eos.value_or(false) && parts.eos_id) parts.suffix_ids = {*parts.eos_id};
  parts.chat_template = config.chat_template;
  return parts;
}

}  // namespace forge::text
