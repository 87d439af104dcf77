// The strings of a vocabulary, by id and by spelling.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace forge::text {

/// Ids are 0 .. size() - 1; some may have no string. Immutable once filled, then any thread may
/// read. Views into it live as long as it does and survive moving it.
class Vocabulary {
 public:
  /// Room for ids below n_ids and about that many bytes of strings.
  void reserve(size_t n_ids, size_t n_bytes);

  enum class Added { kYes, kIdTaken, kStringTaken };
  /// Gives id the string. Nothing changes where either has been given already. id >= 0.
  Added add(int32_t id, std::string_view piece);
  [[nodiscard]] std::optional<int32_t> find(std::string_view piece) const;
  /// Starts loading what find() will need; worth it where many look-ups are known ahead.
  void prefetch(std::string_view piece) const;
  /// The string of an id; empty where it has none or is out of range.
  [[nodiscard]] std::string_view piece(int32_t id) const;
  [[nodiscard]] bool has(int32_t id) const;

  /// One more than the largest id.
  [[nodiscard]] int32_t size() const { return static_cast<int32_t>(pieces_.size()); }
  /// How many ids have a string.
  [[nodiscard]] int32_t count() const { return count_; }

 private:
  struct Span {
    uint32_t offset = 0;
    int32_t length = -1;  // -1: no string
  };
  // Holds what pieces_ says of the id once more: a look-up costs two cache misses instead of three.
  struct Slot {
    uint32_t hash = 0;
    int32_t id = -1;
    Span span;
  };

  void store(int32_t id, std::string_view piece);
  void grow_index();
  [[nodiscard]] size_t slot_of(std::string_view piece, uint32_t hash) const;

  std::vector<char> bytes_;
  std::vector<Span> pieces_;
  std::vector<Slot> index_;  // open addressing, a power of two long, at most half full
  int32_t count_ = 0;
};

}  // namespace forge::text
