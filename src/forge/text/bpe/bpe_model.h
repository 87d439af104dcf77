// Byte-pair encoding of one piece of text: what remains of a tokenizer once normalizing and
// splitting are done.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forge/text/bpe/junctions.h"
#include "forge/text/bpe/merge_table.h"
#include "forge/text/bpe/vocabulary.h"
#include "forge/text/bpe/word_cache.h"

namespace forge::text {

/// What a piece is cut into before anything merges.
enum class BpeSymbols {
  kBytes,       // pieces are raw bytes, the vocabulary spells them in the byte alphabet
  kCharacters,  // pieces are UTF-8 in the vocabulary's own spelling
};

/// Everything that makes a model; filled by a loader.
struct BpeParts {
  std::shared_ptr<const Vocabulary> vocabulary;
  std::vector<bool>
      is_model_token;  // by id: false for added and control tokens, which text never gives
  MergeTable merges;
  /// Symbols above the vocabulary's ids: single characters that only parts of pieces need
  /// (SentencePiece); what is left of them after merging counts as unknown.
  std::vector<std::string> extra_symbols;

  BpeSymbols symbols = BpeSymbols::kBytes;
  bool byte_fallback = false;         // unknown characters become their bytes "<0xE2>"
  bool fuse_unknown = false;          // a run of unknown characters is one unknown token
  bool ignore_merges = false;         // a piece that is a token as a whole stays whole
  std::optional<int32_t> unknown_id;  // none: unknown characters are dropped
};

/// Working memory of one encode() call.
struct BpeScratch {
  explicit BpeScratch(WordCache& words) : cache(words) {}
  WordCache& cache;
  std::vector<int32_t> symbols;
};

/// Immutable; any thread may encode with a scratch of its own.
class BpeModel {
 public:
  explicit BpeModel(BpeParts parts);

  /// Appends the ids of a piece. Pieces are independent of one another.
  void encode(std::string_view piece, BpeScratch& scratch, std::vector<int32_t>& out) const;

  [[nodiscard]] const Vocabulary& vocabulary() const { return *parts_.vocabulary; }
  [[nodiscard]] BpeSymbols symbols() const { return parts_.symbols; }

 private:
  [[nodiscard]] std::optional<int32_t> model_token(std::string_view piece) const;
  [[nodiscard]] std::optional<int32_t> symbol_of(std::string_view character) const;
  void find_byte_tokens();
  void find_junctions();
  void encode_word(std::string_view word, BpeScratch& scratch, std::vector<int32_t>& out) const;
  void split_into_symbols(std::string_view word, std::vector<int32_t>& symbols) const;
  void finish_extra_symbols(std::vector<int32_t>& symbols) const;

  BpeParts parts_;
  Junctions junctions_;
  bool can_cut_ = false;  // no unknown symbol can stand between two that would merge
  std::array<int32_t, 256> byte_tokens_{};   // "<0x00>" ... "<0xFF>", -1 where missing
  std::array<int32_t, 256> byte_symbols_{};  // kBytes: by byte; kCharacters: by ASCII character
  Vocabulary extra_;                         // the extra symbols by spelling
  bool has_all_byte_tokens_ = false;
};

}  // namespace forge::text
