// Python's operators on Values. What Python raises is a failure of the Runtime.
#pragma once

#include <cstdint>
#include <optional>

#include "forge/text/jinja/runtime.h"
#include "forge/text/jinja/value.h"

namespace forge::text::jinja {

enum class BinaryOp : uint8_t {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kFloorDivide,
  kModulo,
  kPower
};
enum class CompareOp : uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kNotIn
};

/// bool(value); never fails.
[[nodiscard]] bool truth(const Value& value);

/// a == b. 1, 1.0 and true are equal; a list and a tuple are not.
[[nodiscard]] bool equals(Runtime& runtime, const Value& a, const Value& b);

/// a < b, for numbers, strings, and lists and tuples of such; otherwise fails.
[[nodiscard]] bool less(Runtime& runtime, const Value& a, const Value& b);

[[nodiscard]] bool compare(Runtime& runtime, CompareOp op, const Value& a, const Value& b);

/// item in container.
[[nodiscard]] bool contains(Runtime& runtime, const Value& container, const Value& item);

/// len(value), or nothing where it has none; characters of a string.
[[nodiscard]] std::optional<int64_t> length_of(const Value& value);

[[nodiscard]] Value binary(Runtime& runtime, BinaryOp op, const Value& a, const Value& b);
[[nodiscard]] Value add(Runtime& runtime, const Value& a, const Value& b);
[[nodiscard]] Value negate(Runtime& runtime, const Value& value);
[[nodiscard]] Value posit(Runtime& runtime, const Value& value);

}  // namespace forge::text::jinja
