// Where a text may be cut without changing what byte-pair encoding gives.
#pragma once

#include <cstdint>
#include <vector>

#include "forge/text/bpe/hash.h"

namespace forge::text {

/// A merge of two symbols joins the last unit (byte or code point) of the left one to the first of
/// the right one. Between two units that no merge joins, nothing ever merges, so both sides can be
/// encoded alone: long texts without pre-tokenizer fall into words, which can be cached. A Bloom
/// filter with one hash: it may say "joined" for a pair that is not, never the other way round.
class Junctions {
 public:
  Junctions() : bits_(size_t{1} << (kLogBits - 6)) {}

  void add(char32_t left, char32_t right) {
    const uint64_t bit = bit_of(left, right);
    bits_[bit >> 6] |= uint64_t{1} << (bit & 63);
  }
  [[nodiscard]] bool may_join(char32_t left, char32_t right) const {
    const uint64_t bit = bit_of(left, right);
    return ((bits_[bit >> 6] >> (bit & 63)) & 1) != 0;
  }

 private:
  // 2^18 bits are 32 KiB, a core's first-level cache; vocabularies have 2,000 to 20,000 distinct
  // pairs.
  static constexpr int kLogBits = 18;
  static uint64_t bit_of(char32_t left, char32_t right) {
    const uint64_t key = static_cast<uint64_t>(left) << 21 | static_cast<uint64_t>(right);
    return (key * 0x9E3779B97F4A7C15ULL) >> (64 - kLogBits);
  }

  std::vector<uint64_t> bits_;
};

}  // namespace forge::text
