#include "forge/text/bpe/merge_table.h"

#include <bit>

namespace forge::text {

MergeTable::MergeTable(size_t n_merges) {
  const size_t size = std::bit_ceil(2 * n_merges + 2);
  slots_.resize(size);
  mask_ = size - 1;
  shift_ = 64 - std::countr_zero(size);
}

void MergeTable::add(int32_t left, int32_t right, Merge merge, Existing existing) {
  if (2 * (count_ + 1) > slots_.size()) grow();
  const uint64_t key = pair_key(left, right);
  size_t slot = slot_for(key);
  while (slots_[slot].key != kEmpty && slots_[slot].key != key) slot = (slot + 1) & mask_;
  if (slots_[slot].key == kEmpty) {
    slots_[slot] = {.key = key, .merge = merge};
    ++count_;
  } else if (existing == Existing::kReplace) {
    slots_[slot].merge = merge;
  }
}

void MergeTable::grow() {
  const std::vector<Slot> old = std::move(slots_);
  *this = MergeTable(old.size());
  for (const Slot& slot : old) {
    if (slot.key == kEmpty) continue;
    add(static_cast<int32_t>(slot.key >> 32), static_cast<int32_t>(slot.key & 0xFFFFFFFFU),
        slot.merge, Existing::kKeep);
  }
}

}  // namespace forge::text
