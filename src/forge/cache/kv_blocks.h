// The one owner of the KV cache's bookkeeping: free blocks, shared blocks, cached prefixes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "forge/cache/block_copy.h"
#include "forge/cache/block_list.h"
#include "forge/cache/prefix_index.h"

namespace forge::cache {

/// Blocks 0 .. n_blocks - 1 of kBlockLen tokens. Each is free, cached (nobody's, kept because its
/// content is known: least recently used ones are taken when no block is free) or used, by one or
/// more tables.
///
/// Full blocks enter a prefix index under (salt, block before, tokens). A block whose content is
/// there already is given back and the one in the index shared instead: equal rows have equal bits
/// (docs/architecture.md), so nobody can tell. Tables give their blocks back last first, so ends of
/// chains are evicted before their beginnings.
///
/// Copies are to be done in the order in which they were reported and before anything is written:
/// a block that has been copied from may be given to someone else at once.
///
/// Invariants: n_free() + n_cached() + n_used() = n_blocks(); a block in the index is full and is
/// never written again. One thread. After the constructor nothing here allocates but what it
/// appends to a table or to copies beyond their capacity.
class KvBlocks {
 public:
  struct Options {
    int32_t n_blocks = 0;
    bool prefix_cache = true;
    int32_t hash_bits = 64;  // of the prefix index; fewer are for tests of collisions
  };
  explicit KvBlocks(const Options& options);
  /// Every table must have been released.
  ~KvBlocks();
  KvBlocks(const KvBlocks&) = delete;
  KvBlocks& operator=(const KvBlocks&) = delete;

  /// The blocks of one sequence, in order of position. Plain data: whoever holds it returns it
  /// through release().
  struct Table {
    std::vector<int32_t> blocks;  // kReleased where the window has left a block behind
    uint64_t chain = 0;           // identity of the last registered block; 0: none yet
    int32_t n_registered = 0;     // leading blocks that are in the index
    int32_t n_released = 0;       // leading entries that are kReleased

    [[nodiscard]] int32_t n_held() const {
      return static_cast<int32_t>(blocks.size()) - n_released;
    }
  };
  static constexpr int32_t kReleased = -1;

  /// Blocks that n tokens take.
  [[nodiscard]] static constexpr int32_t blocks_for(int64_t n_tokens) {
    return static_cast<int32_t>((n_tokens + kBlockLen - 1) / kBlockLen);
  }

  [[nodiscard]] int32_t n_blocks() const { return static_cast<int32_t>(owners_.size()); }
  [[nodiscard]] int32_t n_free() const { return static_cast<int32_t>(free_.size()); }
  [[nodiscard]] int32_t n_cached() const { return cached_.size(); }
  [[nodiscard]] int32_t n_used() const { return n_blocks() - n_available(); }
  /// Blocks that could be had now: free or cached.
  [[nodiscard]] int32_t n_available() const { return n_free() + n_cached(); }

  /// How many blocks take_prefix() would share with tables that exist, so that they cost nothing.
  [[nodiscard]] int32_t count_shareable(std::span<const int32_t> tokens, uint64_t salt) const;
  /// Fills an empty table with the longest cached prefix and returns its length in tokens, at most
  /// tokens.size() - 1. Where every block of the tokens is cached, the last one is copied instead
  /// of shared, since its last token will be written again; that needs one available block, and
  /// where there is none the last block is left out.
  [[nodiscard]] int32_t take_prefix(Table& table, std::span<const int32_t> tokens, uint64_t salt,
                                    std::vector<BlockCopy>& copies);

  /// Room for n_tokens positions in all; false, with nothing changed, where blocks are missing.
  [[nodiscard]] bool try_grow(Table& table, int32_t n_tokens);
  /// Makes the block at `position` the table's own before it is written: where others share it, a
  /// new block takes its place and the copy is appended to copies. True too where the table has no
  /// block there yet. False, with nothing changed, where no block is available.
  [[nodiscard]] bool try_own(Table& table, int32_t position, std::vector<BlockCopy>& copies);
  /// An empty table gets the same content: one owner more for each block.
  void share(const Table& from, Table& to);
  /// Registers full blocks whose tokens are computed; tokens[0, n_computed) lie in the table. Does
  /// nothing without a prefix cache.
  void register_prefix(Table& table, std::span<const int32_t> tokens, int32_t n_computed,
                       uint64_t salt);
  /// Gives back the blocks that lie wholly before a position.
  void release_before(Table& table, int32_t position);
  /// Gives everything back; the table is empty afterwards.
  void release(Table& table);

  /// Tables that hold the block.
  [[nodiscard]] int32_t owners(int32_t block) const;
  /// FORGE_CHECKs the invariants; for tests and debug builds.
  void check_invariants() const;

 private:
  /// An available block, now with one owner; there must be one.
  [[nodiscard]] int32_t take();
  void retain(int32_t block);
  void give_back(int32_t block);

  bool has_index_;
  std::vector<int32_t> owners_;  // by block
  std::vector<int32_t> free_;    // a stack
  BlockList cached_;
  PrefixIndex index_;
};

}  // namespace forge::cache
