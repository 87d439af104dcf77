// The merging loop of byte-pair encoding.
#pragma once

#include <cstdint>
#include <vector>

#include "forge/text/bpe/merge_table.h"

namespace forge::text {

/// Merges symbols in place until no neighbouring pair has a merge, always the pair with the lowest
/// rank and, of equals, the leftmost. Ids below 0 never merge. O(n log n): a short word by repeated
/// scans, a long one with a linked list and a heap; both give the same. Source: Sennrich et al.
/// 2016, arXiv:1508.07909, algorithm 1.
void merge_symbols(const MergeTable& merges, std::vector<int32_t>& symbols);

}  // namespace forge::text
