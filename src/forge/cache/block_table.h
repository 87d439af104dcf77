// The cache blocks of one sequence, in order of position.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "forge/cache/block_pool.h"

namespace forge::cache {

/// Owns one share of each of its blocks and gives them back when it ends. The pool must outlive it.
class BlockTable {
 public:
  explicit BlockTable(BlockPool& pool) : pool_(&pool) {}
  ~BlockTable() { clear(); }
  BlockTable(const BlockTable&) = delete;
  BlockTable& operator=(const BlockTable&) = delete;

  /// Makes room for n_tokens positions in all. False, with nothing changed, where the pool has too
  /// few free blocks.
  [[nodiscard]] bool try_reserve(int32_t n_tokens);
  /// Releases every block.
  void clear();

  [[nodiscard]] std::span<const int32_t> blocks() const { return blocks_; }
  /// Positions the blocks have room for.
  [[nodiscard]] int32_t capacity_tokens() const;

 private:
  BlockPool* pool_;
  std::vector<int32_t> blocks_;
};

}  // namespace forge::cache
