#include "forge/text/bpe/vocabulary.h"

#include <bit>
#include <cstring>

#include "forge/base/check.h"
#include "forge/text/bpe/hash.h"

namespace forge::text {

void Vocabulary::reserve(size_t n_ids, size_t n_bytes) {
  bytes_.reserve(n_bytes);
  pieces_.reserve(n_ids);
  const size_t wanted = std::bit_ceil(2 * n_ids + 16);
  while (index_.size() < wanted) grow_index();
}

Vocabulary::Added Vocabulary::add(int32_t id, std::string_view piece) {
  if (has(id)) return Added::kIdTaken;
  if (2 * (static_cast<size_t>(count_) + 1) > index_.size()) grow_index();
  const auto hash = static_cast<uint32_t>(hash_bytes(piece));
  const size_t slot = slot_of(piece, hash);
  if (index_[slot].id >= 0) return Added::kStringTaken;
  store(id, piece);
  index_[slot] = {.hash = hash, .id = id, .span = pieces_[static_cast<size_t>(id)]};
  return Added::kYes;
}

std::optional<int32_t> Vocabulary::find(std::string_view piece) const {
  if (index_.empty()) return std::nullopt;
  const int32_t id = index_[slot_of(piece, static_cast<uint32_t>(hash_bytes(piece)))].id;
  if (id < 0) return std::nullopt;
  return id;
}

void Vocabulary::prefetch(std::string_view piece) const {
  if (index_.empty()) return;
  __builtin_prefetch(&index_[static_cast<uint32_t>(hash_bytes(piece)) & (index_.size() - 1)]);
}

std::string_view Vocabulary::piece(int32_t id) const {
  if (!has(id)) return {};
  const Span span = pieces_[static_cast<size_t>(id)];
  return {bytes_.data() + span.offset, static_cast<size_t>(span.length)};
}

bool Vocabulary::has(int32_t id) const {
  return id >= 0 && id < size() && pieces_[static_cast<size_t>(id)].length >= 0;
}

void Vocabulary::store(int32_t id, std::string_view piece) {
  FORGE_CHECK(bytes_.size() + piece.size() <= UINT32_MAX, "vocabulary above 4 GiB");
  if (id >= size()) pieces_.resize(static_cast<size_t>(id) + 1);
  pieces_[static_cast<size_t>(id)] = {.offset = static_cast<uint32_t>(bytes_.size()),
                                      .length = static_cast<int32_t>(piece.size())};
  bytes_.insert(bytes_.end(), piece.begin(), piece.end());
  ++count_;
}

void Vocabulary::grow_index() {
  const std::vector<Slot> old = std::move(index_);
  index_ = std::vector<Slot>(old.empty() ? 64 : 2 * old.size());
  const size_t mask = index_.size() - 1;
  for (const Slot& entry : old) {
    if (entry.id < 0) continue;
    size_t slot = entry.hash & mask;
    while (index_[slot].id >= 0) slot = (slot + 1) & mask;
    index_[slot] = entry;
  }
}

size_t Vocabulary::slot_of(std::string_view wanted, uint32_t hash) const {
  const size_t mask = index_.size() - 1;
  size_t slot = hash & mask;
  for (; index_[slot].id >= 0; slot = (slot + 1) & mask) {
    const Slot& entry = index_[slot];
    if (entry.hash != hash || entry.span.length != static_cast<int64_t>(wanted.size())) continue;
    if (std::memcmp(bytes_.data() + entry.span.offset, wanted.data(), wanted.size()) == 0) break;
  }
  return slot;
}

}  // namespace forge::text
