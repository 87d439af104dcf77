#include "forge/cache/block_table.h"

#include "forge/tensor/paged_batch.h"

namespace forge::cache {

bool BlockTable::try_reserve(int32_t n_tokens) {
  const int32_t wanted = static_cast<int32_t>((int64_t{n_tokens} + kBlockLen - 1) / kBlockLen);
  const int32_t missing = wanted - static_cast<int32_t>(blocks_.size());
  if (missing > pool_->n_free()) return false;
  for (int32_t i = 0; i < missing; ++i) blocks_.push_back(*pool_->allocate());
  return true;
}

void BlockTable::clear() {
  // Backwards, so that the pool hands them out in the same order again.
  while (!blocks_.empty()) {
    pool_->release(blocks_.back());
    blocks_.pop_back();
  }
}

int32_t BlockTable::capacity_tokens() const {
  return static_cast<int32_t>(blocks_.size()) * kBlockLen;
}

}  // namespace forge::cache
