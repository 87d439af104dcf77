#include "forge/cache/prefix_index.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "forge/base/check.h"
#include "forge/base/hash.h"

namespace forge::cache {

PrefixIndex::PrefixIndex(int32_t n_blocks, int32_t hash_bits)
    : hash_bits_(hash_bits),
      entries_(static_cast<size_t>(n_blocks)),
      buckets_(std::bit_ceil(static_cast<size_t>(std::max(n_blocks, 1))), kNone) {
  FORGE_CHECK(hash_bits >= 0 && hash_bits <= 64, "hash_bits {}", hash_bits);
}

uint32_t PrefixIndex::bucket_of(const Key& key) const {
  std::array<std::byte, 2 * sizeof(uint64_t) + kBlockLen * sizeof(int32_t)> bytes;
  std::memcpy(bytes.data(), &key.salt, sizeof key.salt);
  std::memcpy(bytes.data() + sizeof key.salt, &key.parent, sizeof key.parent);
  std::memcpy(bytes.data() + 2 * sizeof(uint64_t), key.tokens.data(), key.tokens.size_bytes());
  const uint64_t hash = hash_bits_ == 0 ? 0 : hash64(bytes) >> (64 - hash_bits_);
  return static_cast<uint32_t>(hash & (buckets_.size() - 1));
}

int32_t PrefixIndex::find(const Key& key) const {
  int32_t block = buckets_[bucket_of(key)];
  for (; block != kNone; block = entry(block).next) {
    const Entry& e = entry(block);
    if (e.parent == key.parent && e.salt == key.salt && std::ranges::equal(e.tokens, key.tokens)) {
      break;
    }
  }
  return block;
}

uint64_t PrefixIndex::insert(int32_t block, const Key& key) {
  FORGE_CHECK(!contains(block), "block {} has an entry already", block);
  Entry& e = entries_[static_cast<size_t>(block)];
  e.identity = ++last_identity_;
  e.salt = key.salt;
  e.parent = key.parent;
  std::ranges::copy(key.tokens, e.tokens.begin());
  e.bucket = bucket_of(key);
  e.next = buckets_[e.bucket];
  buckets_[e.bucket] = block;
  return e.identity;
}

void PrefixIndex::erase(int32_t block) {
  FORGE_CHECK(contains(block), "block {} has no entry", block);
  Entry& e = entries_[static_cast<size_t>(block)];
  int32_t* link = &buckets_[e.bucket];
  while (*link != block) link = &entries_[static_cast<size_t>(*link)].next;
  *link = e.next;
  e.identity = 0;
}

}  // namespace forge::cache
