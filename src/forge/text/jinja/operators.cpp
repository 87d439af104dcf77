#include "forge/text/jinja/operators.h"

#include "forge/text/jinja/cursor.h"
#include "forge/text/jinja/loop.h"
#include "forge/text/jinja/objects.h"
#include "forge/text/jinja/python_text.h"

namespace forge::text::jinja {

namespace {

bool sequences_equal(Runtime& runtime, const Sequence& a, const Sequence& b) {
  if (&a == &b) return true;
  if (a.items.size() != b.items.size()) return false;
  for (size_t i = 0; i < a.items.size(); ++i) {
    if (!equals(runtime, a.items[i], b.items[i])) return false;
  }
  return true;
}

bool dicts_equal(Runtime& runtime, const Dict& a, const Dict& b) {
  if (&a == &b) return true;
  if (a.size() != b.size()) return false;
  for (const Dict::Entry& entry : a.entries()) {
    const Value* other = b.find(entry.key);
    if (other == nullptr || !equals(runtime, entry.value, *other)) return false;
  }
  return true;
}

bool has_key(Runtime& runtime, const Dict& dict, const Value& key) {
  if (is_hashable(key)) return dict.find(key) != nullptr;
  runtime.fail("unhashable type: '{}'", type_name(key));
  return false;
}

bool ranges_equal(const RangeObject& a, const RangeObject& b) {
  if (a.size() != b.size()) return false;
  if (a.size() == 0) return true;
  return a.start == b.start && (a.size() == 1 || a.step == b.step);
}

std::string_view symbol(CompareOp op) {
  switch (op) {
    case CompareOp::kLess:
      return "<";
    case CompareOp::kLessEqual:
      return "<=";
    case CompareOp::kGreater:
      return ">";
    case CompareOp::kGreaterEqual:
      return ">=";
    default:
      return "==";
  }
}

template <typename T>
bool ordered(CompareOp op, const T& a, const T& b) {
  switch (op) {
    case CompareOp::kLess:
      return a < b;
    case CompareOp::kLessEqual:
      return a <= b;
    case CompareOp::kGreater:
      return a > b;
    default:
      return a >= b;
  }
}

/// The four orderings. Sequences are ordered by their first elements that differ.
bool order(Runtime& runtime, CompareOp op, const Value& a, const Value& b) {
  const DepthGuard guard(runtime);
  if (!guard.ok() || !runtime.step()) return false;
  if (a.is_undefined() || b.is_undefined()) {
    runtime.fail_undefined(a.is_undefined() ? a : b);
    return false;
  }
  if (a.is_integral() && b.is_integral()) return ordered(op, a.as_int(), b.as_int());
  if (a.is_number() && b.is_number()) return ordered(op, a.to_double(), b.to_double());
  if (a.is_string() && b.is_string()) return ordered(op, a.text().compare(b.text()), 0);
  if (a.is_sequence() && a.kind() == b.kind()) {
    const std::vector<Value>& left = a.sequence().items;
    const std::vector<Value>& right = b.sequence().items;
    for (size_t i = 0; i < left.size() && i < right.size(); ++i) {
      if (!equals(runtime, left[i], right[i])) return order(runtime, op, left[i], right[i]);
      if (runtime.failed()) return false;
    }
    return ordered(op, left.size(), right.size());
  }
  runtime.fail("'{}' not supported between instances of '{}' and '{}'", symbol(op), type_name(a),
               type_name(b));
  return false;
}

}  // namespace

bool truth(const Value& value) {
  switch (value.kind()) {
    case Kind::kMissing:
    case Kind::kUndefined:
    case Kind::kNone:
      return false;
    case Kind::kBool:
    case Kind::kInt:
      return value.as_int() != 0;
    case Kind::kFloat:
      return value.as_float() != 0.0;
    case Kind::kString:
      return !value.text().empty();
    case Kind::kList:
    case Kind::kTuple:
      return !value.sequence().items.empty();
    case Kind::kDict:
      return value.dict().entries.size() != 0;
    case Kind::kRange:
      return value.range().size() != 0;
    case Kind::kView:
      return value.view().dict->entries.size() != 0;
    case Kind::kIterator:
    case Kind::kNamespace:
    case Kind::kLoop:
    case Kind::kMacro:
    case Kind::kFunction:
    case Kind::kCycler:
    case Kind::kJoiner:
      return true;
  }
  return false;
}

bool equals(Runtime& runtime, const Value& a, const Value& b) {
  const DepthGuard guard(runtime);
  if (!guard.ok() || !runtime.step()) return false;
  if (a.is_integral() && b.is_integral()) return a.as_int() == b.as_int();
  if (a.is_number() && b.is_number()) return a.to_double() == b.to_double();
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::kMissing:
    case Kind::kUndefined:
    case Kind::kNone:
      return true;
    case Kind::kString:
      return a.text() == b.text();
    case Kind::kList:
    case Kind::kTuple:
      return sequences_equal(runtime, a.sequence(), b.sequence());
    case Kind::kDict:
      return dicts_equal(runtime, a.dict().entries, b.dict().entries);
    case Kind::kRange:
      return ranges_equal(a.range(), b.range());
    default:
      return a.object() == b.object();
  }
}

bool less(Runtime& runtime, const Value& a, const Value& b) {
  return order(runtime, CompareOp::kLess, a, b);
}

bool compare(Runtime& runtime, CompareOp op, const Value& a, const Value& b) {
  switch (op) {
    case CompareOp::kEqual:
      return equals(runtime, a, b);
    case CompareOp::kNotEqual:
      return !equals(runtime, a, b);
    case CompareOp::kIn:
      return contains(runtime, b, a);
    case CompareOp::kNotIn:
      return !contains(runtime, b, a);
    default:
      return order(runtime, op, a, b);
  }
}

bool contains(Runtime& runtime, const Value& container, const Value& item) {
  switch (container.kind()) {
    case Kind::kString: {
      if (!item.is_string()) {
        if (item.is_undefined()) {
          runtime.fail_undefined(item);
        } else {
          runtime.fail("'in <string>' requires string as left operand, not {}", type_name(item));
        }
        return false;
      }
      runtime.charge_bytes(container.text().size());
      return find_text(container.text(), item.text(), 0) != std::string_view::npos;
    }
    case Kind::kDict:
      return has_key(runtime, container.dict().entries, item);
    case Kind::kNone:
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kFloat:
      runtime.fail("argument of type '{}' is not iterable", type_name(container));
      return false;
    default: {
      if (container.is(Kind::kView) && container.view().what == ViewObject::What::kKeys) {
        return has_key(runtime, container.view().dict->entries, item);
      }
      std::optional<Cursor> cursor = Cursor::over(runtime, container);
      Value element;
      while (cursor && cursor->next(runtime, element)) {
        if (equals(runtime, element, item)) return true;
      }
      return false;
    }
  }
}

std::optional<int64_t> length_of(const Value& value) {
  switch (value.kind()) {
    case Kind::kUndefined:
      return 0;
    case Kind::kString:
      return static_cast<int64_t>(count_chars(value.text()));
    case Kind::kList:
    case Kind::kTuple:
      return static_cast<int64_t>(value.sequence().items.size());
    case Kind::kDict:
      return static_cast<int64_t>(value.dict().entries.size());
    case Kind::kView:
      return static_cast<int64_t>(value.view().dict->entries.size());
    case Kind::kRange:
      return value.range().size();
    default:
      return std::nullopt;
  }
}

}  // namespace forge::text::jinja
