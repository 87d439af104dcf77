// SentencePiece BPE has no merge list: any two neighbours whose concatenation is a piece may merge,
// the best score first. This turns pieces and scores into the same table.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "forge/text/bpe/merge_table.h"
#include "forge/text/bpe/vocabulary.h"

namespace forge::text {

struct ScoreMerges {
  MergeTable merges;
  std::vector<std::string> extra_symbols;  // see BpeParts
};

/// scores and is_mergeable are by id; only mergeable pieces take part (normal and user defined
/// ones, not control, unknown or byte tokens). Pieces are valid UTF-8. Pieces with equal scores
/// share a rank, so that the leftmost goes first, as in the original. Source: Kudo & Richardson
/// 2018, arXiv:1808.06226, and the agenda of its BPE encoder.
[[nodiscard]] ScoreMerges merges_from_scores(const Vocabulary& vocabulary,
                                             std::span<const float> scores,
                                             const std::vector<bool>& is_mergeable);

}  // namespace forge::text
