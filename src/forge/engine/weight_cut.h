// Where a list of tokens, best first, reaches a given weight; found without sorting it.
#pragma once

#include <cstdint>
#include <vector>

namespace forge::engine {

/// A token in an order: less is better, of equals the lower id.
struct RankedToken {
  double rank = 0.0;  // finite
  int32_t id = 0;
  float weight = 0.0f;

  [[nodiscard]] bool is_worse_than(const RankedToken& other) const {
    return rank != other.rank ? rank > other.rank : id > other.id;
  }
};

/// The token at which the weights, summed up from the best token, reach `wanted`; the worst one
/// where they never do. tokens (one at least) are in ascending order of their ids, and are
/// destroyed. Linear time: the weights are summed up in 1024 equal parts of the range of ranks, and
/// so on within the part that matters.
[[nodiscard]] RankedToken find_weight_cut(double wanted, std::vector<RankedToken>& tokens);

}  // namespace forge::engine
