// Which two neighbouring symbols merge, into what, and how early.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace forge::text {

/// A pair's merge. Lower ranks go first; several pairs may share one.
struct Merge {
  static constexpr uint32_t kNever = UINT32_MAX;
  uint32_t rank = kNever;
  int32_t id = -1;  // what the pair becomes
};

/// Pairs of symbol ids to merges: open addressing at most half full.
class MergeTable {
 public:
  explicit MergeTable(size_t n_merges = 0);

  enum class Existing { kKeep, kReplace };
  /// Adds or, where the pair is there, keeps or replaces its merge.
  void add(int32_t left, int32_t right, Merge merge, Existing existing);

  /// Merge::kNever where the pair does not merge.
  [[nodiscard]] Merge find(int32_t left, int32_t right) const {
    const uint64_t key = pair_key(left, right);
    size_t slot = slot_for(key);
    while (slots_[slot].key != key) {
      if (slots_[slot].key == kEmpty) return {};
      slot = (slot + 1) & mask_;
    }
    return slots_[slot].merge;
  }

  [[nodiscard]] size_t size() const { return count_; }

  /// Calls visit(left, right) for every pair, in no particular order.
  template <typename Visit>
  void for_each_pair(Visit&& visit) const {
    for (const Slot& slot : slots_) {
      if (slot.key == kEmpty) continue;
      visit(static_cast<int32_t>(slot.key >> 32), static_cast<int32_t>(slot.key & 0xFFFFFFFFU));
    }
  }

 private:
  struct Slot {
    uint64_t key = kEmpty;
    Merge merge;
  };
  static constexpr uint64_t kEmpty = UINT64_MAX;  // ids are not negative, so no pair has it

  [[nodiscard]] static uint64_t pair_key(int32_t left, int32_t right) {
    return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
  }
  // Fibonacci hashing: the high bits of a product with 2^64 / golden ratio.
  [[nodiscard]] size_t slot_for(uint64_t key) const {
    return static_cast<size_t>(((key ^ (key >> 29)) * 0x9E3779B97F4A7C15ULL) >> shift_);
  }
  void grow();

  std::vector<Slot> slots_;
  size_t mask_ = 0;
  int shift_ = 63;
  size_t count_ = 0;
};

}  // namespace forge::text
