#include "forge/cache/block_pool.h"

#include "forge/base/check.h"

namespace forge::cache {

BlockPool::BlockPool(int32_t n_blocks) {
  FORGE_CHECK(n_blocks >= 0, "n_blocks {}", n_blocks);
  owners_.resize(static_cast<size_t>(n_blocks), 0);
  free_.reserve(static_cast<size_t>(n_blocks));
  for (int32_t block = n_blocks - 1; block >= 0; --block) free_.push_back(block);
}

std::optional<int32_t> BlockPool::allocate() {
  if (free_.empty()) return std::nullopt;
  const int32_t block = free_.back();
  free_.pop_back();
  owners_[static_cast<size_t>(block)] = 1;
  return block;
}

void BlockPool::retain(int32_t block) {
  FORGE_CHECK(owners(block) > 0, "block {} is free", block);
  ++owners_[static_cast<size_t>(block)];
}

void BlockPool::release(int32_t block) {
  FORGE_CHECK(owners(block) > 0, "block {} is free", block);
  if (--owners_[static_cast<size_t>(block)] == 0) free_.push_back(block);
}

int32_t BlockPool::owners(int32_t block) const {
  FORGE_CHECK(block >= 0 && block < n_blocks(), "block {} of {}", block, n_blocks());
  return owners_[static_cast<size_t>(block)];
}

}  // namespace forge::cache
