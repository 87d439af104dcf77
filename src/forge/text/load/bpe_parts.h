// Steps that several loaders share when they fill BpeParts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "forge/base/result.h"
#include "forge/text/bpe/bpe_model.h"
#include "forge/text/load/tokenizer_config.h"
#include "forge/text/tokenizer_parts.h"

namespace forge::text {

/// Gives id a string; where names the entry in errors. Refuses ids and strings given twice, ids
/// above kMaxTokenId and strings that are too long or not UTF-8.
[[nodiscard]] Status add_piece(Vocabulary& vocabulary, int64_t id, std::string_view piece,
                               std::string_view where);

/// Fills a merge table from a ranked list.
class MergeListReader {
 public:
  /// existing: which of two entries for one pair counts. where names the list in errors.
  MergeListReader(BpeParts& parts, MergeTable::Existing existing, std::string where)
      : parts_(parts), existing_(existing), where_(std::move(where)) {}

  /// Adds the next merge, at the rank of its place in the list. Both parts and their concatenation
  /// must be model tokens.
  [[nodiscard]] Status add(std::string_view left, std::string_view right);

 private:
  [[nodiscard]] std::optional<int32_t> joined_id(std::string_view joined);

  BpeParts& parts_;
  MergeTable::Existing existing_;
  std::string where_;
  std::string joined_;
  uint32_t rank_ = 0;
  int32_t likely_id_ = 0;  // most lists give new tokens in the order of their ids
};

/// Splits "left right" at its only space.
struct MergeText {
  std::string_view left;
  std::string_view right;
};
[[nodiscard]] std::optional<MergeText> split_merge(std::string_view line);

/// Fills bos_id and eos_id from the config's token strings.
[[nodiscard]] Status set_named_tokens(TokenizerParts& parts, const TokenizerConfig& config);

}  // namespace forge::text
