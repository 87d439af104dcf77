// Iteration over any value that Python could iterate over.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "forge/text/jinja/runtime.h"
#include "forge/text/jinja/value.h"

namespace forge::text::jinja {

/// Walks a list, tuple, dict (its keys), string (its characters), range, dict view or iterator,
/// reading the live object, so that a list that grows meanwhile is seen to grow. Undefined is
/// empty.
class Cursor {
 public:
  /// Nothing (and the runtime failed) where the value cannot be iterated over.
  static std::optional<Cursor> over(Runtime& runtime, const Value& source);

  /// The next element; false at the end or once the runtime has failed. Each element is one step.
  bool next(Runtime& runtime, Value& element);

 private:
  explicit Cursor(const Value& source) : source_(source) {}

  Value source_;
  size_t at_ = 0;
};

/// Whether Cursor::over would succeed.
[[nodiscard]] bool is_iterable(const Value& value);

/// Python's list(value).
[[nodiscard]] std::vector<Value> to_items(Runtime& runtime, const Value& value);

}  // namespace forge::text::jinja
