// Which block holds the keys and values of which tokens: a hash index over chains of full blocks.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "forge/tensor/paged_batch.h"

namespace forge::cache {

/// A block's content is its tokens and everything before them. The latter is one number: the
/// identity of the block before, which no later entry ever gets again. An entry is found by hash
/// and then compared as a whole, so that a collision costs time and never lends a wrong block.
/// One thread. Allocates in the constructor only.
class PrefixIndex {
 public:
  /// hash_bits: [0, 64], of the hash that are used; fewer are for tests of collisions.
  PrefixIndex(int32_t n_blocks, int32_t hash_bits);

  struct Key {
    uint64_t salt = 0;    // content with another salt is other content
    uint64_t parent = 0;  // identity of the block before; 0 for the first
    std::span<const int32_t, kBlockLen> tokens;
  };

  static constexpr int32_t kNone = -1;
  /// The block that holds this, or kNone.
  [[nodiscard]] int32_t find(const Key& key) const;
  /// Adds a block that is not in the index, under a key that is not either; returns its identity.
  uint64_t insert(int32_t block, const Key& key);
  /// Forgets a block that is in the index. Entries that name it as parent are found no more.
  void erase(int32_t block);

  [[nodiscard]] bool contains(int32_t block) const { return identity(block) != 0; }
  /// 0 where the block is not in the index.
  [[nodiscard]] uint64_t identity(int32_t block) const { return entry(block).identity; }

 private:
  struct Entry {
    uint64_t identity = 0;
    uint64_t salt = 0;
    uint64_t parent = 0;
    std::array<int32_t, kBlockLen> tokens = {};
    uint32_t bucket = 0;
    int32_t next = kNone;  // in the bucket
  };
  [[nodiscard]] const Entry& entry(int32_t block) const {
    return entries_[static_cast<size_t>(block)];
  }
  [[nodiscard]] uint32_t bucket_of(const Key& key) const;

  int32_t hash_bits_;
  uint64_t last_identity_ = 0;
  std::vector<Entry> entries_;    // by block
  std::vector<int32_t> buckets_;  // first block of each, a power of two of them
};

}  // namespace forge::cache
