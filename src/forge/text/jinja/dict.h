// Python's dict: any hashable key, insertion order kept.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "forge/text/jinja/value.h"

namespace forge::text::jinja {

/// Whether the value may be a key. Lists, dicts and views of dicts may not, as in Python; a tuple
/// may where it is nested at most four deep (a bound of ours, so that hashing needs no recursion
/// guard).
[[nodiscard]] bool is_hashable(const Value& value);

/// Ordered map from hashable values to values. 1, 1.0 and true are the same key. Small maps are
/// searched in order, larger ones through a hash index.
class Dict {
 public:
  struct Entry {
    Value key;
    Value value;
  };

  [[nodiscard]] size_t size() const { return entries_.size(); }
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

  /// The value under the key, or null. The pointer holds until the next change.
  [[nodiscard]] const Value* find(const Value& key) const;
  [[nodiscard]] const Value* find(std::string_view key) const;

  /// Sets or replaces; a replaced entry keeps its place and its first key, as in Python.
  void set(const Value& key, Value value);
  /// Removes the entry; false where there is none.
  bool erase(const Value& key);
  void clear();

 private:
  [[nodiscard]] int64_t position(const Value& key) const;
  [[nodiscard]] int64_t position(std::string_view key) const;
  void index_entry(size_t entry);
  void rebuild_index(size_t n_slots);

  std::vector<Entry> entries_;
  std::vector<int32_t> slots_;  // open addressing, -1 where free; empty while the map is small
};

}  // namespace forge::text::jinja
