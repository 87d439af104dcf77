// Short words and the ids they became: text repeats itself, merging does not have to.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

namespace forge::text {

/// A table of one cache line per word, direct-mapped: a new word takes the place of an old one, so
/// the size is fixed (2 MiB). For one thread at a time; what it answers is always what was stored.
class WordCache {
 public:
  static constexpr size_t kMaxWordBytes = 30;
  static constexpr size_t kMaxIds = 6;

  WordCache();
  /// The ids of a word, or an empty span with found = false.
  [[nodiscard]] std::span<const int32_t> find(std::string_view word, uint64_t hash,
                                              bool& found) const;
  /// Remembers a word, where it and its ids fit.
  void store(std::string_view word, uint64_t hash, std::span<const int32_t> ids);

 private:
  // 64 bytes, so that a look-up touches one cache line.
  struct alignas(64) Entry {
    uint32_t tag = 0;
    uint8_t word_bytes = 0;  // 0: free (no word is empty)
    uint8_t n_ids = 0;
    char word[kMaxWordBytes] = {};
    int32_t ids[kMaxIds] = {};
  };
  static_assert(sizeof(Entry) == 64);

  std::vector<Entry> entries_;
};

/// Lends caches to threads: as many exist as have been in use at once.
class WordCachePool {
 public:
  /// A cache for the caller alone; it comes back when the lease ends.
  class Lease {
   public:
    Lease(WordCachePool& pool, std::unique_ptr<WordCache> cache)
        : pool_(pool), cache_(std::move(cache)) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { pool_.give_back(std::move(cache_)); }
    WordCache& operator*() const { return *cache_; }

   private:
    WordCachePool& pool_;
    std::unique_ptr<WordCache> cache_;
  };

  [[nodiscard]] Lease lend();

 private:
  void give_back(std::unique_ptr<WordCache> cache);

  std::mutex mutex_;
  std::vector<std::unique_ptr<WordCache>> idle_;
};

}  // namespace forge::text
