#include "forge/text/jinja/access.h"

#include <algorithm>

#include "forge/base/utf8.h"
#include "forge/text/jinja/loop.h"
#include "forge/text/jinja/macro.h"
#include "forge/text/jinja/methods.h"
#include "forge/text/jinja/objects.h"
#include "forge/text/jinja/python_text.h"

namespace forge::text::jinja {

namespace {

/// A method or attribute proper, not an item; missing where there is none.
Value attribute_proper(Runtime& runtime, const Value& value, std::string_view name) {
  switch (value.kind()) {
    case Kind::kNamespace: {
      const Value* found = value.space().attributes.find(name);
      return found == nullptr ? Value::missing() : *found;
    }
    case Kind::kLoop:
      return value.loop().attribute(runtime, name);
    case Kind::kMacro:
      return macro_attribute(runtime, value.macro(), name);
    default: {
      const Method* method = find_method(value.kind(), name);
      if (method == nullptr) return Value::missing();
      if (method->is_property) {
        Arguments none;
        return method->call(runtime, value, none);
      }
      return runtime.make_function(method->name, method->call, value);
    }
  }
}

/// Index into a sequence of so many elements, counted from the end where negative.
std::optional<size_t> checked_index(const Value& key, int64_t size) {
  if (!key.is_integral()) return std::nullopt;
  const int64_t index = key.as_int() < 0 ? key.as_int() + size : key.as_int();
  if (index < 0 || index >= size) return std::nullopt;
  return static_cast<size_t>(index);
}

Value character(const Value& value, const Value& key) {
  const std::string& text = value.text();
  const std::optional<size_t> index = checked_index(key, static_cast<int64_t>(count_chars(text)));
  if (!index) return Value::missing();
  const size_t at = char_offset(text, *index);
  return Value::string(text.substr(at, static_cast<size_t>(decode_utf8(text, at).length)));
}

/// value[key] proper; missing where Python would raise TypeError, KeyError or IndexError.
Value item_proper(Runtime& runtime, const Value& value, const Value& key) {
  switch (value.kind()) {
    case Kind::kDict: {
      if (!is_hashable(key)) return Value::missing();
      const Value* found = value.dict().entries.find(key);
      return found == nullptr ? Value::missing() : *found;
    }
    case Kind::kList:
    case Kind::kTuple: {
      const std::vector<Value>& items = value.sequence().items;
      const std::optional<size_t> index = checked_index(key, static_cast<int64_t>(items.size()));
      return index ? items[*index] : Value::missing();
    }
    case Kind::kString:
      if (!runtime.charge_bytes(value.text().size())) return Value();
      return character(value, key);
    case Kind::kRange: {
      const std::optional<size_t> index = checked_index(key, value.range().size());
      if (!index) return Value::missing();
      return Value::integer(value.range().at(static_cast<int64_t>(*index)));
    }
    default:
      return Value::missing();
  }
}

Value no_attribute(const Value& value, std::string_view name) {
  return Value::undefined(fmt::format("'{}' has no attribute '{}'", object_name(value), name));
}

}  // namespace

Value get_attribute(Runtime& runtime, const Value& value, std::string_view name) {
  if (value.is_undefined()) return runtime.fail_undefined(value);
  Value found = attribute_proper(runtime, value, name);
  if (!found.is_missing()) return found;
  if (value.is(Kind::kDict)) {
    const Value* item = value.dict().entries.find(name);
    if (item != nullptr) return *item;
  }
  return no_attribute(value, name);
}

Value get_item(Runtime& runtime, const Value& value, const Value& key) {
  if (value.is_undefined()) return runtime.fail_undefined(value);
  Value found = item_proper(runtime, value, key);
  if (!found.is_missing()) return found;
  if (!key.is_string()) {
    return Value::undefined(fmt::format("'{}' has no such element", object_name(value)));
  }
  found = attribute_proper(runtime, value, key.text());
  return found.is_missing() ? no_attribute(value, key.text()) : found;
}

AttributePath::AttributePath(const Value& attribute) {
  if (attribute.is_string()) {
    *this = AttributePath(std::string_view(attribute.text()));
  } else if (!attribute.is_none() && !attribute.is_missing()) {
    parts_.push_back(attribute);
  }
}

AttributePath::AttributePath(std::string_view dotted) {
  for (const std::string_view part : split(dotted, ".", -1)) {
    const bool is_number = !part.empty() && std::all_of(part.begin(), part.end(), [](char c) {
      return c >= '0' && c <= '9';
    });
    const std::optional<int64_t> index = is_number ? parse_int(part, 10) : std::nullopt;
    parts_.push_back(index ? Value::integer(*index) : Value::string(part));
  }
}

Value AttributePath::of(Runtime& runtime, Value value) const {
  for (const Value& part : parts_) value = get_item(runtime, value, part);
  return value;
}

Value AttributePath::of(Runtime& runtime, Value value, const Value& fallback) const {
  for (const Value& part : parts_) {
    value = get_item(runtime, value, part);
    if (value.is_undefined() && !fallback.is_none()) value = fallback;
  }
  return value;
}

}  // namespace forge::text::jinja
