// Who owns which block of the KV cache. Bookkeeping only: no memory, no tensors.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace forge::cache {

/// Blocks 0 .. n_blocks - 1, each free or held by one or more owners (a block that several
/// sequences share has several). One thread owns the pool.
///
/// Invariant: n_free() + blocks with an owner = n_blocks().
class BlockPool {
 public:
  explicit BlockPool(int32_t n_blocks);

  /// A block that nobody held, now with one owner; nothing when none is free. Lowest numbers first.
  [[nodiscard]] std::optional<int32_t> allocate();
  /// One owner more for a block that has one already.
  void retain(int32_t block);
  /// One owner less; the last one frees the block.
  void release(int32_t block);

  [[nodiscard]] int32_t n_blocks() const { return static_cast<int32_t>(owners_.size()); }
  [[nodiscard]] int32_t n_free() const { return static_cast<int32_t>(free_.size()); }
  [[nodiscard]] int32_t owners(int32_t block) const;

 private:
  std::vector<int32_t> owners_;  // by block
  std::vector<int32_t> free_;    // a stack
};

}  // namespace forge::cache
