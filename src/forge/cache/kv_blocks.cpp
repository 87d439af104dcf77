#include "forge/cache/kv_blocks.h"

#include <algorithm>

#include "forge/base/check.h"

namespace forge::cache {
namespace {

PrefixIndex::Key key_of(uint64_t salt, uint64_t parent, std::span<const int32_t> tokens,
                        int32_t i) {
  return {salt, parent, tokens.subspan(static_cast<size_t>(i) * kBlockLen).first<kBlockLen>()};
}

int32_t count_full(size_t n_tokens) { return static_cast<int32_t>(n_tokens / kBlockLen); }

}  // namespace

KvBlocks::KvBlocks(const Options& options)
    : has_index_(options.prefix_cache),
      owners_(static_cast<size_t>(options.n_blocks), 0),
      cached_(options.n_blocks),
      index_(options.n_blocks, options.hash_bits) {
  free_.reserve(owners_.size());
  for (int32_t block = options.n_blocks - 1; block >= 0; --block) free_.push_back(block);
}

KvBlocks::~KvBlocks() { FORGE_CHECK(n_used() == 0, "{} blocks still in tables", n_used()); }

int32_t KvBlocks::take() {
  int32_t block;
  if (!free_.empty()) {
    block = free_.back();
    free_.pop_back();
  } else {
    FORGE_CHECK(cached_.size() > 0, "no block of {} is available", n_blocks());
    block = cached_.front();
    cached_.remove(block);
    index_.erase(block);
  }
  owners_[static_cast<size_t>(block)] = 1;
  return block;
}

void KvBlocks::retain(int32_t block) {
  int32_t& n = owners_[static_cast<size_t>(block)];
  if (n == 0) cached_.remove(block);  // only a cached block is found without an owner
  ++n;
}

void KvBlocks::give_back(int32_t block) {
  int32_t& n = owners_[static_cast<size_t>(block)];
  FORGE_CHECK(n > 0, "block {} has no owner", block);
  if (--n > 0) return;
  if (index_.contains(block)) {
    cached_.push_back(block);
  } else {
    free_.push_back(block);
  }
}

int32_t KvBlocks::count_shareable(std::span<const int32_t> tokens, uint64_t salt) const {
  int32_t n_shareable = 0;
  uint64_t parent = 0;
  // The last block is copied where it ends the tokens.
  for (int32_t i = 0; tokens.size() > static_cast<size_t>(i + 1) * kBlockLen; ++i) {
    const int32_t block = index_.find(key_of(salt, parent, tokens, i));
    if (block == PrefixIndex::kNone) break;
    parent = index_.identity(block);
    if (owners(block) > 0) ++n_shareable;
  }
  return n_shareable;
}

int32_t KvBlocks::take_prefix(Table& table, std::span<const int32_t> tokens, uint64_t salt,
                              std::vector<BlockCopy>& copies) {
  FORGE_CHECK(table.blocks.empty(), "the table has {} blocks", table.blocks.size());
  for (int32_t i = 0; i < count_full(tokens.size()); ++i) {
    const int32_t block = index_.find(key_of(salt, table.chain, tokens, i));
    if (block == PrefixIndex::kNone) break;
    retain(block);
    if (static_cast<size_t>(i + 1) * kBlockLen == tokens.size()) {
      if (n_available() > 0) {
        copies.push_back({.from = block, .to = take()});
        table.blocks.push_back(copies.back().to);
      }
      give_back(block);
      return static_cast<int32_t>(std::min(table.blocks.size() * kBlockLen, tokens.size() - 1));
    }
    table.blocks.push_back(block);
    table.chain = index_.identity(block);
    ++table.n_registered;
  }
  return table.n_registered * kBlockLen;
}

bool KvBlocks::try_grow(Table& table, int32_t n_tokens) {
  const int32_t missing = blocks_for(n_tokens) - static_cast<int32_t>(table.blocks.size());
  if (missing > n_available()) return false;
  for (int32_t i = 0; i < missing; ++i) table.blocks.push_back(take());
  return true;
}

bool KvBlocks::try_own(Table& table, int32_t position, std::vector<BlockCopy>& copies) {
  const auto i = static_cast<size_t>(position / kBlockLen);
  if (i >= table.blocks.size()) return true;
  int32_t& block = table.blocks[i];
  FORGE_CHECK(block != kReleased && static_cast<int32_t>(i) >= table.n_registered,
              "position {} is not for writing", position);
  if (owners(block) == 1) return true;
  if (n_available() == 0) return false;
  const int32_t own = take();
  copies.push_back({.from = block, .to = own});
  give_back(block);
  block = own;
  return true;
}

void KvBlocks::share(const Table& from, Table& to) {
  FORGE_CHECK(to.blocks.empty(), "the table has {} blocks", to.blocks.size());
  to.blocks.assign(from.blocks.begin(), from.blocks.end());
  to.chain = from.chain;
  to.n_registered = from.n_registered;
  to.n_released = from.n_released;
  for (const int32_t block : to.blocks) {
    if (block != kReleased) retain(block);
  }
}

void KvBlocks::register_prefix(Table& table, std::span<const int32_t> tokens, int32_t n_computed,
                               uint64_t salt) {
  if (!has_index_) return;
  const int32_t n_full = count_full(static_cast<size_t>(n_computed));
  for (int32_t& i = table.n_registered; i < n_full; ++i) {
    int32_t& block = table.blocks[static_cast<size_t>(i)];
    FORGE_CHECK(block != kReleased, "block {} of the table left unregistered", i);
    const PrefixIndex::Key key = key_of(salt, table.chain, tokens, i);
    const int32_t known = index_.find(key);
    if (known == PrefixIndex::kNone) {
      table.chain = index_.insert(block, key);
      continue;
    }
    retain(known);
    give_back(block);
    block = known;
    table.chain = index_.identity(known);
  }
}

void KvBlocks::release_before(Table& table, int32_t position) {
  const int32_t end = std::min(position / kBlockLen, static_cast<int32_t>(table.blocks.size()));
  for (int32_t i = end - 1; i >= table.n_released; --i) {
    give_back(table.blocks[static_cast<size_t>(i)]);
    table.blocks[static_cast<size_t>(i)] = kReleased;
  }
  table.n_released = std::max(table.n_released, end);
}

void KvBlocks::release(Table& table) {
  for (; table.n_held() > 0; table.blocks.pop_back()) give_back(table.blocks.back());
  table.blocks.clear();
  table.chain = 0;
  table.n_registered = 0;
  table.n_released = 0;
}

int32_t KvBlocks::owners(int32_t block) const {
  FORGE_CHECK(block >= 0 && block < n_blocks(), "block {} of {}", block, n_blocks());
  return owners_[static_cast<size_t>(block)];
}

void KvBlocks::check_invariants() const {
  int32_t n_used_counted = 0;
  int32_t n_known = 0;
  for (int32_t block = 0; block < n_blocks(); ++block) {
    if (owners(block) > 0) {
      ++n_used_counted;
    } else if (index_.contains(block)) {
      ++n_known;
    }
  }
  FORGE_CHECK(n_used_counted == n_used(), "{} blocks have owners, {} are neither free nor cached",
              n_used_counted, n_used());
  FORGE_CHECK(n_known == n_cached(), "{} unowned blocks in the index, {} cached", n_known,
              n_cached());
  for (const int32_t block : free_) {
    FORGE_CHECK(owners(block) == 0 && !index_.contains(block), "block {} is not free", block);
  }
}

}  // namespace forge::cache
