// Steps that several loaders share when they fill BpeParts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "forge/base/result.h"
#include "forge/text/bpe/bpe_model.h"
#include "forge/text/load/tokenizer_config.h"
#include "forge/text/tokenizer_parts.h"

namespace forge::text {

/// Gives id a string; where names the entry in errors. Refuses ids and strings given twice, ids
/// above kMaxTokenId and strings that are too long or not UTF-8.
[[nodiscard]] Status add_piece(Vocabulary& vocabulary, int64_t id, std::string_view piece,
                               std::string_view where);

/// Adds "left + right at this rank". Both and their concatenation must be model tokens.
enum class MissingMerge { kRefuse, kSkip };
[[nodiscard]] Status add_merge(BpeParts& parts, std::string_view left, std::string_view right,
                               uint32_t rank, MergeTable::Existing existing, MissingMerge missing,
                               std::string_view where);

/// Splits "left right" at its only space.
struct MergeText {
  std::string_view left;
  std::string_view right;
};
[[nodiscard]] std::optional<MergeText> split_merge(std::string_view line);

/// Fills bos_id and eos_id from the config's token strings.
[[nodiscard]] Status set_named_tokens(TokenizerParts& parts, const TokenizerConfig& config);

}  // namespace forge::text
