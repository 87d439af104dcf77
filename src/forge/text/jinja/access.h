// value.name, value[key] and value[a:b:c].
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "forge/text/jinja/runtime.h"
#include "forge/text/jinja/value.h"

namespace forge::text::jinja {

/// value.name: a method or attribute, else the item of that name, else undefined. Fails on an
/// undefined value only.
[[nodiscard]] Value get_attribute(Runtime& runtime, const Value& value, std::string_view name);

/// value[key]: the item, else (for a string key) the attribute, else undefined.
[[nodiscard]] Value get_item(Runtime& runtime, const Value& value, const Value& key);

/// value[start:stop:step] of a string, list, tuple or range; each bound is an integer or none.
[[nodiscard]] Value get_slice(Runtime& runtime, const Value& value, const Value& start,
                              const Value& stop, const Value& step);

/// An attribute path as filters take it: "name", "a.b.0", or an integer.
class AttributePath {
 public:
  /// attribute none or missing is the empty path, which gives the value itself.
  explicit AttributePath(const Value& attribute);
  explicit AttributePath(std::string_view dotted);

  [[nodiscard]] Value of(Runtime& runtime, Value value) const;
  /// What is undefined on the way is replaced by fallback.
  [[nodiscard]] Value of(Runtime& runtime, Value value, const Value& fallback) const;

 private:
  std::vector<Value> parts_;
};

}  // namespace forge::text::jinja
