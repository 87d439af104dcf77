#include "forge/text/jinja/loop.h"

#include "forge/text/jinja/operators.h"

namespace forge::text::jinja {

namespace {

Value cycle(Runtime& runtime, const Value& self, Arguments& args) {
  if (args.positional.empty()) return runtime.fail("no items for cycling given");
  const auto index = static_cast<size_t>(self.loop().index0);
  return args.positional[index % args.positional.size()];
}

Value changed(Runtime& runtime, const Value& self, Arguments& args) {
  Value now = runtime.make_tuple(std::move(args.positional));
  std::optional<Value>& last = self.loop().last_changed;
  if (last.has_value() && equals(runtime, *last, now)) return Value::boolean(false);
  last = now;
  return Value::boolean(true);
}

}  // namespace

bool LoopObject::pull(Runtime& runtime, Value& element) {
  while (cursor.next(runtime, element)) {
    if (!accepts || accepts(element)) return !runtime.failed();
  }
  return false;
}

bool LoopObject::advance(Runtime& runtime) {
  Value element;
  if (!pending.empty()) {
    element = std::move(pending.front());
    pending.pop_front();
  } else if (!pull(runtime, element)) {
    return false;
  }
  ++index0;
  previous = std::move(current);
  current = std::move(element);
  return true;
}

Value LoopObject::peek(Runtime& runtime) {
  if (pending.empty()) {
    Value element;
    if (!pull(runtime, element)) return Value::missing();
    pending.push_back(std::move(element));
  }
  return pending.front();
}

int64_t LoopObject::length(Runtime& runtime) {
  if (source_length >= 0) return source_length;
  Value element;
  while (pull(runtime, element) && runtime.allow_elements(1)) pending.push_back(element);
  source_length = index0 + 1 + static_cast<int64_t>(pending.size());
  return source_length;
}

Value LoopObject::attribute(Runtime& runtime, std::string_view name) {
  if (name == "index") return Value::integer(index0 + 1);
  if (name == "index0") return Value::integer(index0);
  if (name == "first") return Value::boolean(index0 == 0);
  if (name == "last") return Value::boolean(peek(runtime).is_missing());
  if (name == "length") return Value::integer(length(runtime));
  if (name == "revindex") return Value::integer(length(runtime) - index0);
  if (name == "revindex0") return Value::integer(length(runtime) - index0 - 1);
  if (name == "depth") return Value::integer(depth0 + 1);
  if (name == "depth0") return Value::integer(depth0);
  if (name == "previtem") {
    return index0 == 0 ? Value::undefined("there is no previous item") : previous;
  }
  if (name == "nextitem") {
    Value next = peek(runtime);
    return next.is_missing() ? Value::undefined("there is no next item") : next;
  }
  const Value self = Value::object(Kind::kLoop, this);
  if (name == "cycle") return runtime.make_function("cycle", cycle, self);
  if (name == "changed") return runtime.make_function("changed", changed, self);
  return Value::missing();
}

}  // namespace forge::text::jinja
