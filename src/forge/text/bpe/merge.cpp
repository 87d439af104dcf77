#include "forge/text/bpe/merge.h"

#include <algorithm>
#include <functional>

namespace forge::text {
namespace {

// Below this many symbols, scanning all ranks costs less than a heap (measured on English words).
constexpr size_t kScanLimit = 48;

uint32_t rank_of(const MergeTable& merges, int32_t left, int32_t right) {
  return left < 0 || right < 0 ? Merge::kNever : merges.find(left, right).rank;
}

void merge_short(const MergeTable& merges, std::vector<int32_t>& symbols) {
  uint32_t ranks[kScanLimit];
  size_t count = symbols.size();
  for (size_t i = 0; i + 1 < count; ++i) ranks[i] = rank_of(merges, symbols[i], symbols[i + 1]);
  while (count > 1) {
    const uint32_t* best = std::min_element(ranks, ranks + count - 1);
    if (*best == Merge::kNever) break;
    const auto i = static_cast<size_t>(best - ranks);
    symbols[i] = merges.find(symbols[i], symbols[i + 1]).id;
    for (size_t j = i + 1; j + 1 < count; ++j) symbols[j] = symbols[j + 1];
    for (size_t j = i; j + 2 < count; ++j) ranks[j] = ranks[j + 1];
    --count;
    if (i > 0) ranks[i - 1] = rank_of(merges, symbols[i - 1], symbols[i]);
    if (i + 1 < count) ranks[i] = rank_of(merges, symbols[i], symbols[i + 1]);
  }
  symbols.resize(count);
}

// Symbols as a linked list by position, and a heap of (rank, position). An entry of the heap is out
// of date unless the pair that starts at its position still has its rank.
class LongMerger {
 public:
  LongMerger(const MergeTable& merges, std::vector<int32_t>& symbols)
      : merges_(merges), symbols_(symbols), links_(symbols.size()) {}

  void run() {
    const auto n = static_cast<int64_t>(symbols_.size());
    heap_.reserve(symbols_.size());
    for (int64_t i = 0; i < n; ++i) {
      links_[at(i)] = {.previous = i - 1, .next = i + 1 < n ? i + 1 : -1, .rank = Merge::kNever};
      if (i + 1 < n) links_[at(i)].rank = rank_of(merges_, symbols_[at(i)], symbols_[at(i + 1)]);
      if (links_[at(i)].rank != Merge::kNever) heap_.push_back({links_[at(i)].rank, i});
    }
    std::make_heap(heap_.begin(), heap_.end(), std::greater<>());
    while (!heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
      const Candidate top = heap_.back();
      heap_.pop_back();
      if (links_[at(top.position)].rank == top.rank) merge_at(top.position);
    }
    size_t kept = 0;
    for (int64_t i = 0; i >= 0 && i < n; i = links_[at(i)].next) symbols_[kept++] = symbols_[at(i)];
    symbols_.resize(kept);
  }

 private:
  struct Link {
    int64_t previous = -1;
    int64_t next = -1;
    uint32_t rank = Merge::kNever;  // of the pair (this, next)
  };
  struct Candidate {
    uint32_t rank = 0;
    int64_t position = 0;
    auto operator<=>(const Candidate&) const = default;
  };

  static size_t at(int64_t i) { return static_cast<size_t>(i); }

  void merge_at(int64_t i) {
    Link& link = links_[at(i)];
    const int64_t right = link.next;
    symbols_[at(i)] = merges_.find(symbols_[at(i)], symbols_[at(right)]).id;
    link.next = links_[at(right)].next;
    links_[at(right)].rank = Merge::kNever;
    if (link.next >= 0) links_[at(link.next)].previous = i;
    update(i);
    if (link.previous >= 0) update(link.previous);
  }

  void update(int64_t i) {
    Link& link = links_[at(i)];
    link.rank =
        link.next < 0 ? Merge::kNever : rank_of(merges_, symbols_[at(i)], symbols_[at(link.next)]);
    if (link.rank == Merge::kNever) return;
    heap_.push_back({link.rank, i});
    std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
  }

  const MergeTable& merges_;
  std::vector<int32_t>& symbols_;
  std::vector<Link> links_;
  std::vector<Candidate> heap_;
};

}  // namespace

void merge_symbols(const MergeTable& merges, std::vector<int32_t>& symbols) {
  if (symbols.size() < 2) return;
  if (symbols.size() <= kScanLimit) {
    merge_short(merges, symbols);
  } else {
    LongMerger(merges, symbols).run();
  }
}

}  // namespace forge::text
