#include "forge/text/bpe/score_merges.h"

#include <algorithm>
#include <numeric>

#include "forge/text/unicode/code_points.h"

namespace forge::text {
namespace {

// Dense ranks by falling score; equal scores have equal ranks.
std::vector<uint32_t> rank_scores(std::span<const float> scores) {
  std::vector<int32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  const auto score = [&](int32_t id) { return scores[static_cast<size_t>(id)]; };
  std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return score(a) > score(b); });
  std::vector<uint32_t> ranks(scores.size());
  uint32_t rank = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    if (i > 0 && score(order[i]) != score(order[i - 1])) ++rank;
    ranks[static_cast<size_t>(order[i])] = rank;
  }
  return ranks;
}

}  // namespace

ScoreMerges merges_from_scores(const Vocabulary& vocabulary, std::span<const float> scores,
                               const std::vector<bool>& is_mergeable) {
  const std::vector<uint32_t> ranks = rank_scores(scores);
  ScoreMerges result{.merges = MergeTable(4 * scores.size()), .extra_symbols = {}};
  Vocabulary extra;
  const auto symbol = [&](std::string_view part) -> int32_t {
    const auto id = vocabulary.find(part);
    if (id && is_mergeable[static_cast<size_t>(*id)]) return *id;
    if (utf8_length(part[0]) != part.size())
      return -1;  // only single characters exist without a piece
    if (const auto known = extra.find(part)) return vocabulary.size() + *known;
    const auto next = static_cast<int32_t>(result.extra_symbols.size());
    extra.add(next, part);
    result.extra_symbols.emplace_back(part);
    return vocabulary.size() + next;
  };
  for (int32_t id = 0; id < vocabulary.size(); ++id) {
    if (!is_mergeable[static_cast<size_t>(id)]) continue;
    const std::string_view piece = vocabulary.piece(id);
    for (size_t cut = piece.empty() ? 0 : utf8_length(piece[0]); cut < piece.size();
         cut += utf8_length(piece[cut])) {
      const int32_t left = symbol(piece.substr(0, cut));
      const int32_t right = left < 0 ? -1 : symbol(piece.substr(cut));
      if (right < 0) continue;
      result.merges.add(left, right, {.rank = ranks[static_cast<size_t>(id)], .id = id},
                        MergeTable::Existing::kKeep);
    }
  }
  return result;
}

}  // namespace forge::text
