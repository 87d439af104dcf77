#include "forge/text/bpe/word_cache.h"

#include <algorithm>
#include <cstring>

namespace forge::text {
namespace {

// 2^15 lines are 2 MiB: about the vocabulary of a long book, and near one core's share of cache.
constexpr size_t kEntries = size_t{1} << 15;

uint32_t tag_of(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }

}  // namespace

WordCache::WordCache() : entries_(kEntries) {}

std::span<const int32_t> WordCache::find(std::string_view word, uint64_t hash, bool& found) const {
  const Entry& entry = entries_[hash & (kEntries - 1)];
  found = entry.tag == tag_of(hash) && entry.word_bytes == word.size() && !word.empty() &&
          std::memcmp(entry.word, word.data(), word.size()) == 0;
  if (!found) return {};
  return {entry.ids, entry.n_ids};
}

void WordCache::store(std::string_view word, uint64_t hash, std::span<const int32_t> ids) {
  if (word.empty() || word.size() > kMaxWordBytes || ids.size() > kMaxIds) return;
  Entry& entry = entries_[hash & (kEntries - 1)];
  entry.tag = tag_of(hash);
  entry.word_bytes = static_cast<uint8_t>(word.size());
  entry.n_ids = static_cast<uint8_t>(ids.size());
  std::memcpy(entry.word, word.data(), word.size());
  std::copy(ids.begin(), ids.end(), entry.ids);
}

WordCachePool::Lease WordCachePool::lend() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<WordCache> cache = std::move(idle_.back());
      idle_.pop_back();
      return {*this, std::move(cache)};
    }
  }
  return {*this, std::make_unique<WordCache>()};
}

void WordCachePool::give_back(std::unique_ptr<WordCache> cache) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(cache));
}

}  // namespace forge::text
