#include "forge/text/bpe/bpe_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "forge/text/bpe/byte_alphabet.h"
#include "forge/text/bpe/merge.h"
#include "forge/text/unicode/code_points.h"

namespace forge::text {

BpeModel::BpeModel(BpeParts parts) : parts_(std::move(parts)) {
  for (size_t i = 0; i < parts_.extra_symbols.size(); ++i) {
    extra_.add(static_cast<int32_t>(i), parts_.extra_symbols[i]);
  }
  find_byte_tokens();
  byte_symbols_.fill(-1);
  const bool is_bytes = parts_.symbols == BpeSymbols::kBytes;
  for (int i = 0; i < (is_bytes ? 256 : 128); ++i) {
    const auto byte = static_cast<unsigned char>(i);
    const char character = static_cast<char>(byte);
    const auto id = symbol_of(is_bytes ? byte_to_alphabet(byte) : std::string_view(&character, 1));
    byte_symbols_[byte] = id.value_or(-1);
  }
  find_junctions();
}

std::optional<int32_t> BpeModel::model_token(std::string_view piece) const {
  const auto id = parts_.vocabulary->find(piece);
  if (!id || !parts_.is_model_token[static_cast<size_t>(*id)]) return std::nullopt;
  return id;
}

std::optional<int32_t> BpeModel::symbol_of(std::string_view character) const {
  if (const auto id = model_token(character)) return id;
  if (const auto extra = extra_.find(character)) return parts_.vocabulary->size() + *extra;
  return std::nullopt;
}

void BpeModel::find_byte_tokens() {
  has_all_byte_tokens_ = parts_.byte_fallback;
  for (int byte = 0; byte < 256; ++byte) {
    const auto id = parts_.vocabulary->find(fmt::format("<0x{:02X}>", byte));
    byte_tokens_[static_cast<size_t>(byte)] = id.value_or(-1);
    has_all_byte_tokens_ = has_all_byte_tokens_ && id.has_value();
  }
}

void BpeModel::find_junctions() {
  const bool is_bytes = parts_.symbols == BpeSymbols::kBytes;
  can_cut_ = is_bytes ? std::all_of(byte_symbols_.begin(), byte_symbols_.end(),
                                    [](int32_t id) { return id >= 0; })
                      : has_all_byte_tokens_;
  if (!can_cut_) return;
  std::vector<bool> is_byte_token(static_cast<size_t>(parts_.vocabulary->size()), false);
  for (const int32_t id : byte_tokens_) {
    if (id >= 0) is_byte_token[static_cast<size_t>(id)] = true;
  }
  const auto spelling = [&](int32_t id) {
    const int32_t extra = id - parts_.vocabulary->size();
    return extra >= 0 ? extra_.piece(extra) : parts_.vocabulary->piece(id);
  };
  // A byte token is not spelt as the text it stands for; a vocabulary that merges one is not cut.
  const auto stands_for_byte = [&](int32_t id) {
    return !is_bytes && id < parts_.vocabulary->size() && is_byte_token[static_cast<size_t>(id)];
  };
  parts_.merges.for_each_pair([&](int32_t left, int32_t right) {
    if (stands_for_byte(left) || stands_for_byte(right)) can_cut_ = false;
    const std::string_view a = spelling(left);
    const std::string_view b = spelling(right);
    if (a.empty() || b.empty()) return;
    size_t length = 0;
    const char32_t last = code_point_at(a, previous_character(a, a.size()), length);
    const char32_t first = code_point_at(b, 0, length);
    if (is_bytes) {
      junctions_.add(alphabet_to_byte(last).value_or(0), alphabet_to_byte(first).value_or(0));
    } else {
      junctions_.add(last, first);
    }
  });
}

void BpeModel::encode(std::string_view piece, BpeScratch& scratch,
                      std::vector<int32_t>& out) const {
  if (piece.empty()) return;
  const bool is_bytes = parts_.symbols == BpeSymbols::kBytes;
  const bool is_long = is_bytes ? piece.size() > WordCache::kMaxWordBytes : true;
  if (!can_cut_ || !is_long || parts_.ignore_merges) {
    encode_word(piece, scratch, out);
    return;
  }
  size_t word = 0;
  size_t length = 0;
  const auto unit_at = [&](size_t offset) -> char32_t {
    if (!is_bytes) return code_point_at(piece, offset, length);
    length = 1;
    return static_cast<unsigned char>(piece[offset]);
  };
  char32_t previous = unit_at(0);
  for (size_t offset = length; offset < piece.size(); offset += length) {
    const char32_t current = unit_at(offset);
    if (!junctions_.may_join(previous, current)) {
      encode_word(piece.substr(word, offset - word), scratch, out);
      word = offset;
    }
    previous = current;
  }
  encode_word(piece.substr(word), scratch, out);
}

void BpeModel::encode_word(std::string_view word, BpeScratch& scratch,
                           std::vector<int32_t>& out) const {
  const bool is_cacheable = word.size() <= WordCache::kMaxWordBytes;
  const uint64_t hash = is_cacheable ? hash_bytes(word) : 0;
  if (is_cacheable) {
    bool is_known = false;
    const std::span<const int32_t> ids = scratch.cache.find(word, hash, is_known);
    if (is_known) {
      out.insert(out.end(), ids.begin(), ids.end());
      return;
    }
  }
  std::vector<int32_t>& symbols = scratch.symbols;
  symbols.clear();
  std::optional<int32_t> whole;
  if (parts_.ignore_merges) {
    whole = parts_.symbols == BpeSymbols::kBytes ? model_token(to_byte_alphabet(word))
                                                 : model_token(word);
  }
  if (whole) {
    symbols.push_back(*whole);
  } else {
    split_into_symbols(word, symbols);
    merge_symbols(parts_.merges, symbols);
    if (extra_.size() > 0) finish_extra_symbols(symbols);
  }
  if (is_cacheable) scratch.cache.store(word, hash, symbols);
  out.insert(out.end(), symbols.begin(), symbols.end());
}

void BpeModel::split_into_symbols(std::string_view word, std::vector<int32_t>& symbols) const {
  // The library keeps an unknown token back until the next known character, but lets byte tokens
  // pass it; the order matters only where some byte tokens are missing, and is kept.
  bool has_pending_unknown = false;
  const bool is_bytes = parts_.symbols == BpeSymbols::kBytes;
  size_t length = 1;
  for (size_t offset = 0; offset < word.size(); offset += length) {
    const auto byte = static_cast<unsigned char>(word[offset]);
    length = is_bytes ? 1 : utf8_length(word[offset]);
    int32_t id = byte_symbols_[byte];
    const std::string_view character =
        is_bytes ? byte_to_alphabet(byte) : word.substr(offset, length);
    if (id < 0 && length > 1) id = symbol_of(character).value_or(-1);
    if (id >= 0) {
      if (has_pending_unknown) symbols.push_back(*parts_.unknown_id);
      has_pending_unknown = false;
      symbols.push_back(id);
      continue;
    }
    const bool has_bytes =
        parts_.byte_fallback && std::all_of(character.begin(), character.end(), [&](char c) {
          return byte_tokens_[static_cast<unsigned char>(c)] >= 0;
        });
    if (has_bytes) {
      for (const char c : character) symbols.push_back(byte_tokens_[static_cast<unsigned char>(c)]);
    } else if (parts_.unknown_id) {
      if (has_pending_unknown && !parts_.fuse_unknown) symbols.push_back(*parts_.unknown_id);
      has_pending_unknown = true;
    }
  }
  if (has_pending_unknown) symbols.push_back(*parts_.unknown_id);
}

void BpeModel::finish_extra_symbols(std::vector<int32_t>& symbols) const {
  const int32_t first_extra = parts_.vocabulary->size();
  if (std::none_of(symbols.begin(), symbols.end(), [&](int32_t id) { return id >= first_extra; })) {
    return;
  }
  std::vector<int32_t> out;
  for (const int32_t id : symbols) {
    if (id < first_extra) {
      out.push_back(id);
      continue;
    }
    const std::string_view character = extra_.piece(id - first_extra);
    if (has_all_byte_tokens_) {
      for (const char c : character) out.push_back(byte_tokens_[static_cast<unsigned char>(c)]);
    } else if (parts_.unknown_id &&
               !(parts_.fuse_unknown && !out.empty() && out.back() == *parts_.unknown_id)) {
      out.push_back(*parts_.unknown_id);
    }
  }
  symbols = std::move(out);
}

}  // namespace forge::text
