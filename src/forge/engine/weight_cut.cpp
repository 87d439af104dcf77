#include "forge/engine/weight_cut.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "forge/base/check.h"

namespace forge::engine {
namespace {

// Sorting so few is faster than another round of parts.
constexpr size_t kFew = 200;
constexpr int kParts = 1024;  // 8 KB of sums

struct Range {
  double least;
  double most;

  /// Ascends with the rank; 0 at the least and kParts - 1 at the most.
  [[nodiscard]] size_t part_of(double rank) const {
    const double part = (rank - least) / (most - least) * (kParts - 1);
    // Infinity over infinity: the rank of a token that its logit rules out is the last.
    return std::isnan(part) ? kParts - 1 : static_cast<size_t>(part);
  }
};

Range range_of(const std::vector<RankedToken>& tokens) {
  Range range{tokens.front().rank, tokens.front().rank};
  for (const RankedToken& token : tokens) {
    range.least = std::min(range.least, token.rank);
    range.most = std::max(range.most, token.rank);
  }
  return range;
}

}  // namespace

RankedToken find_weight_cut(double wanted, std::vector<RankedToken>& tokens) {
  double sum = 0.0;  // the weight of what is better than all tokens that are left
  while (tokens.size() > kFew) {
    const Range range = range_of(tokens);
    if (range.least == range.most) break;  // in order already, by id
    std::array<double, kParts> weights{};
    for (const RankedToken& token : tokens) {
      weights[range.part_of(token.rank)] += static_cast<double>(token.weight);
    }
    // Where wanted is reached in no part, by rounding, it is in the last one.
    size_t part = 0;
    while (part < kParts - 1 && sum + weights[part] < wanted) sum += weights[part++];
    std::erase_if(tokens,
                  [&](const RankedToken& token) { return range.part_of(token.rank) != part; });
    // Part 0 and the last one hold the best and the worst, another one has brought weight.
    FORGE_DCHECK(!tokens.empty(), "part {} is empty", part);
  }
  if (tokens.size() <= kFew) {
    std::sort(tokens.begin(), tokens.end(),
              [](const RankedToken& a, const RankedToken& b) { return b.is_worse_than(a); });
  }
  for (const RankedToken& token : tokens) {
    sum += static_cast<double>(token.weight);
    if (sum >= wanted) return token;
  }
  return tokens.back();
}

}  // namespace forge::engine
