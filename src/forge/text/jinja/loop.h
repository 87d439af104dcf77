// The `loop` variable of a for statement, and the iteration behind it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "forge/text/jinja/cursor.h"
#include "forge/text/jinja/objects.h"

namespace forge::text::jinja {

struct ForStatement;
class Scope;

/// State of one running for statement. Elements are taken, and the loop's filter is evaluated, only
/// when they are needed, so a body that changes what the filter reads sees what Jinja shows.
struct LoopObject final : Object {
  explicit LoopObject(Cursor source) : cursor(std::move(source)) {}

  Cursor cursor;
  std::function<bool(const Value&)> accepts;  // the loop's filter; empty where it has none
  int64_t source_length = -1;                 // where it is known beforehand and there is no filter
  const ForStatement* statement = nullptr;
  Scope* outer = nullptr;  // where the statement stands; for recursive loops
  int64_t depth0 = 0;

  int64_t index0 = -1;
  Value current = Value::missing();
  Value previous = Value::missing();
  std::deque<Value> pending;  // taken from the source, not yet visited
  std::optional<Value> last_changed;

  /// Steps to the next element; false at the end.
  bool advance(Runtime& runtime);
  /// The element after the current one, or missing.
  Value peek(Runtime& runtime);
  /// Number of elements; reads the rest of the source where it must.
  int64_t length(Runtime& runtime);
  /// loop.NAME, or missing where there is no such attribute.
  Value attribute(Runtime& runtime, std::string_view name);

 private:
  bool pull(Runtime& runtime, Value& element);
};

}  // namespace forge::text::jinja
