#include "forge/text/jinja/dict.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "forge/text/jinja/objects.h"

namespace forge::text::jinja {

namespace {

constexpr size_t kLinearSize = 8;  // below it a scan of the entries beats hashing the key
constexpr int kMaxTupleDepth = 4;

bool is_hashable_at(const Value& value, int depth) {
  if (value.is(Kind::kList) || value.is(Kind::kDict) || value.is(Kind::kView)) return false;
  if (!value.is(Kind::kTuple)) return true;
  if (depth >= kMaxTupleDepth) return false;
  const std::vector<Value>& items = value.sequence().items;
  return std::all_of(items.begin(), items.end(),
                     [depth](const Value& item) { return is_hashable_at(item, depth + 1); });
}

size_t hash_text(std::string_view text) { return std::hash<std::string_view>()(text); }

size_t hash_key(const Value& key) {
  switch (key.kind()) {
    case Kind::kString:
      return hash_text(key.text());
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kFloat:
      return std::hash<double>()(key.to_double());
    case Kind::kTuple: {
      size_t hash = 0x9E3779B97F4A7C15u;
      for (const Value& item : key.sequence().items) hash = hash * 1000003u ^ hash_key(item);
      return hash;
    }
    case Kind::kMissing:
    case Kind::kUndefined:
    case Kind::kNone:
      return static_cast<size_t>(key.kind());
    default:
      return std::hash<const void*>()(key.object());
  }
}

bool keys_equal(const Value& a, const Value& b) {
  if (a.is_string() || b.is_string()) {
    return a.is_string() && b.is_string() && a.text() == b.text();
  }
  if (a.is_integral() && b.is_integral()) return a.as_int() == b.as_int();
  if (a.is_number() && b.is_number()) return a.to_double() == b.to_double();
  if (a.kind() != b.kind()) return false;
  if (a.is(Kind::kTuple)) {
    const std::vector<Value>& left = a.sequence().items;
    const std::vector<Value>& right = b.sequence().items;
    return std::equal(left.begin(), left.end(), right.begin(), right.end(), keys_equal);
  }
  return a.is_undefined() || a.is_none() || a.object() == b.object();
}

}  // namespace

bool is_hashable(const Value& value) { return is_hashable_at(value, 0); }

int64_t Dict::position(std::string_view key) const {
  const auto matches = [key](const Entry& entry) {
    return entry.key.is_string() && entry.key.text() == key;
  };
  if (slots_.empty()) {
    const auto found = std::find_if(entries_.begin(), entries_.end(), matches);
    return found == entries_.end() ? -1 : found - entries_.begin();
  }
  for (size_t slot = hash_text(key) % slots_.size();; slot = (slot + 1) % slots_.size()) {
    const int32_t entry = slots_[slot];
    if (entry < 0 || matches(entries_[static_cast<size_t>(entry)])) return entry;
  }
}

int64_t Dict::position(const Value& key) const {
  if (key.is_string()) return position(std::string_view(key.text()));
  if (slots_.empty()) {
    for (size_t i = 0; i < entries_.size(); ++i) {
      if (keys_equal(entries_[i].key, key)) return static_cast<int64_t>(i);
    }
    return -1;
  }
  for (size_t slot = hash_key(key) % slots_.size();; slot = (slot + 1) % slots_.size()) {
    const int32_t entry = slots_[slot];
    if (entry < 0 || keys_equal(entries_[static_cast<size_t>(entry)].key, key)) return entry;
  }
}

void Dict::index_entry(size_t entry) {
  size_t slot = hash_key(entries_[entry].key) % slots_.size();
  while (slots_[slot] >= 0) slot = (slot + 1) % slots_.size();
  slots_[slot] = static_cast<int32_t>(entry);
}

void Dict::rebuild_index(size_t n_slots) {
  slots_.assign(n_slots, -1);
  for (size_t i = 0; i < entries_.size(); ++i) index_entry(i);
}

const Value* Dict::find(const Value& key) const {
  const int64_t at = position(key);
  return at < 0 ? nullptr : &entries_[static_cast<size_t>(at)].value;
}

const Value* Dict::find(std::string_view key) const {
  const int64_t at = position(key);
  return at < 0 ? nullptr : &entries_[static_cast<size_t>(at)].value;
}

void Dict::set(const Value& key, Value value) {
  const int64_t at = position(key);
  if (at >= 0) {
    entries_[static_cast<size_t>(at)].value = std::move(value);
    return;
  }
  entries_.push_back({key, std::move(value)});
  if (entries_.size() <= kLinearSize) return;
  if (entries_.size() * 2 > slots_.size()) {
    rebuild_index(entries_.size() * 4);
  } else {
    index_entry(entries_.size() - 1);
  }
}

bool Dict::erase(const Value& key) {
  const int64_t at = position(key);
  if (at < 0) return false;
  entries_.erase(entries_.begin() + at);
  if (!slots_.empty()) rebuild_index(slots_.size());
  return true;
}

void Dict::clear() {
  entries_.clear();
  slots_.clear();
}

}  // namespace forge::text::jinja
