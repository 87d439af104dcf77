#include "forge/text/jinja/cursor.h"

#include "forge/base/utf8.h"
#include "forge/text/jinja/objects.h"

namespace forge::text::jinja {

namespace {

Value view_element(Runtime& runtime, const ViewObject& view, size_t i) {
  const Dict::Entry& entry = view.dict->entries.entries()[i];
  switch (view.what) {
    case ViewObject::What::kKeys:
      return entry.key;
    case ViewObject::What::kValues:
      return entry.value;
    case ViewObject::What::kItems:
      return runtime.make_tuple({entry.key, entry.value});
  }
  return Value();
}

}  // namespace

bool is_iterable(const Value& value) {
  switch (value.kind()) {
    case Kind::kUndefined:
    case Kind::kString:
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kDict:
    case Kind::kRange:
    case Kind::kView:
    case Kind::kIterator:
      return true;
    default:
      return false;
  }
}

std::optional<Cursor> Cursor::over(Runtime& runtime, const Value& source) {
  if (is_iterable(source)) return Cursor(source);
  runtime.fail("'{}' object is not iterable", type_name(source));
  return std::nullopt;
}

bool Cursor::next(Runtime& runtime, Value& element) {
  if (!runtime.step()) return false;
  switch (source_.kind()) {
    case Kind::kList:
    case Kind::kTuple: {
      const std::vector<Value>& items = source_.sequence().items;
      if (at_ >= items.size()) return false;
      element = items[at_++];
      return true;
    }
    case Kind::kDict: {
      const auto& entries = source_.dict().entries.entries();
      if (at_ >= entries.size()) return false;
      element = entries[at_++].key;
      return true;
    }
    case Kind::kView: {
      if (at_ >= source_.view().dict->entries.size()) return false;
      element = view_element(runtime, source_.view(), at_++);
      return true;
    }
    case Kind::kRange: {
      if (static_cast<int64_t>(at_) >= source_.range().size()) return false;
      element = Value::integer(source_.range().at(static_cast<int64_t>(at_++)));
      return true;
    }
    case Kind::kString: {
      const std::string& text = source_.text();
      if (at_ >= text.size()) return false;
      const size_t length = static_cast<size_t>(decode_utf8(text, at_).length);
      element = Value::string(text.substr(at_, length));
      at_ += length;
      return true;
    }
    case Kind::kIterator: {
      IteratorObject& iterator = source_.iterator();
      if (iterator.next >= iterator.items.size()) return false;
      element = iterator.items[iterator.next++];
      return true;
    }
    default:
      return false;
  }
}

std::vector<Value> to_items(Runtime& runtime, const Value& value) {
  std::vector<Value> items;
  std::optional<Cursor> cursor = Cursor::over(runtime, value);
  if (!cursor) return items;
  Value element;
  while (cursor->next(runtime, element)) {
    if (!runtime.allow_elements(1)) break;
    items.push_back(element);
  }
  return items;
}

}  // namespace forge::text::jinja
