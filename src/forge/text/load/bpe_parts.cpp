#include "forge/text/load/bpe_parts.h"

#include "forge/base/utf8.h"
#include "forge/text/load/limits.h"

namespace forge::text {

Status add_piece(Vocabulary& vocabulary, int64_t id, std::string_view piece,
                 std::string_view where) {
  if (id < 0 || id > kMaxTokenId) {
    return make_error("{}: id {}, expected 0 to {}", where, id, kMaxTokenId);
  }
  if (piece.size() > kMaxPieceBytes) {
    return make_error("{}: token {} has {} bytes, expected at most {}", where, id, piece.size(),
                      kMaxPieceBytes);
  }
  if (find_invalid_utf8(piece)) return make_error("{}: token {} is not valid UTF-8", where, id);
  const auto checked = static_cast<int32_t>(id);
  switch (vocabulary.add(checked, piece)) {
    case Vocabulary::Added::kYes:
      return {};
    case Vocabulary::Added::kIdTaken:
      return make_error("{}: id {} for both \"{}\" and \"{}\"", where, id,
                        vocabulary.piece(checked), piece);
    case Vocabulary::Added::kStringTaken:
      return make_error("{}: \"{}\" is listed twice", where, piece);
  }
  return {};
}

Status MergeListReader::add(std::string_view left, std::string_view right) {
  joined_.assign(left).append(right);
  const Vocabulary& vocabulary = *parts_.vocabulary;
  const std::string_view texts[3] = {left, right, joined_};
  const std::optional<int32_t> ids[3] = {vocabulary.find(left), vocabulary.find(right),
                                         joined_id(joined_)};
  for (int i = 0; i < 3; ++i) {
    if (!ids[i] || !parts_.is_model_token[static_cast<size_t>(*ids[i])]) {
      return make_error("{}[{}]: \"{}\" is not in the vocabulary", where_, rank_, texts[i]);
    }
  }
  parts_.merges.add(*ids[0], *ids[1], {.rank = rank_++, .id = *ids[2]}, existing_);
  likely_id_ = *ids[2] + 1;
  return {};
}

std::optional<int32_t> MergeListReader::joined_id(std::string_view joined) {
  const Vocabulary& vocabulary = *parts_.vocabulary;
  if (vocabulary.has(likely_id_) && vocabulary.piece(likely_id_) == joined) return likely_id_;
  return vocabulary.find(joined);
}

std::optional<MergeText> split_merge(std::string_view line) {
  const size_t space = line.find(' ');
  if (space == std::string_view::npos || space == 0 || space + 1 == line.size() ||
      line.find(' ', space + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  return MergeText{line.substr(0, space), line.substr(space + 1)};
}

Status set_named_tokens(TokenizerParts& parts, const TokenizerConfig& config) {
  const auto set = [&](const std::optional<std::string>& token, std::string_view name,
                       std::optional<int32_t>& id) -> Status {
    if (!token || token->empty()) return {};
    id = parts.bpe.vocabulary->find(*token);
    if (!id) {
      return make_error("{}: {} \"{}\" is not in the vocabulary", config.path, name, *token);
    }
    return {};
  };
  FORGE_TRY_STATUS(set(config.bos_token, "bos_token", parts.bos_id));
  return set(config.eos_token, "eos_token", parts.eos_id);
}

}  // namespace forge::text
