// Methods of lists, tuples, dicts and cyclers. Unlike the transformers library's sandbox, which
// refuses them, methods that change a list or dict in place work: some published templates need
// append().
#include <algorithm>

#include "forge/text/jinja/arguments.h"
#include "forge/text/jinja/cursor.h"
#include "forge/text/jinja/methods.h"
#include "forge/text/jinja/operators.h"

namespace forge::text::jinja {

namespace {

// Lists and tuples -------------------------------------------------------------------------------

Value count_items(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [wanted] = bind(runtime, "count", args, {"value"});
  int64_t count = 0;
  for (const Value& item : self.sequence().items) count += equals(runtime, item, wanted) ? 1 : 0;
  return Value::integer(count);
}

Value index_of(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [wanted] = bind(runtime, "index", args, {"value"});
  const std::vector<Value>& items = self.sequence().items;
  for (size_t i = 0; i < items.size(); ++i) {
    if (equals(runtime, items[i], wanted)) return Value::integer(static_cast<int64_t>(i));
  }
  return runtime.fail("the value is not in the list");
}

Value copy_list(Runtime& runtime, const Value& self, Arguments& args) {
  expect_no_arguments(runtime, "copy", args);
  return runtime.make_list(self.sequence().items);
}

Value append(Runtime& runtime, const Value& self, Arguments& args) {
  auto [item] = bind(runtime, "append", args, {"object"});
  if (item.is_missing()) return runtime.fail("append takes one argument");
  if (runtime.allow_elements(1)) self.sequence().items.push_back(std::move(item));
  return Value::none();
}

Value extend(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [iterable] = bind(runtime, "extend", args, {"iterable"});
  std::vector<Value> added = to_items(runtime, iterable);
  if (runtime.failed()) return Value();
  std::vector<Value>& items = self.sequence().items;
  items.insert(items.end(), added.begin(), added.end());
  return Value::none();
}

Value insert(Runtime& runtime, const Value& self, Arguments& args) {
  auto [where, item] = bind(runtime, "insert", args, {"index", "object"});
  if (item.is_missing()) return runtime.fail("insert takes two arguments");
  std::vector<Value>& items = self.sequence().items;
  const auto size = static_cast<int64_t>(items.size());
  const int64_t at = int_or(runtime, "insert", where, 0);
  if (!runtime.allow_elements(1) || !runtime.step(size)) return Value();
  const int64_t position = std::clamp<int64_t>(at < 0 ? at + size : at, 0, size);
  items.insert(items.begin() + position, std::move(item));
  return Value::none();
}

Value pop_item(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [where] = bind(runtime, "pop", args, {"index"});
  std::vector<Value>& items = self.sequence().items;
  const auto size = static_cast<int64_t>(items.size());
  int64_t at = int_or(runtime, "pop", where, -1);
  if (at < 0) at += size;
  if (at < 0 || at >= size) return runtime.fail("pop index out of range");
  if (!runtime.step(size - at)) return Value();
  Value item = std::move(items[static_cast<size_t>(at)]);
  items.erase(items.begin() + at);
  return item;
}

Value remove_item(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [wanted] = bind(runtime, "remove", args, {"value"});
  std::vector<Value>& items = self.sequence().items;
  for (size_t i = 0; i < items.size(); ++i) {
    if (!equals(runtime, items[i], wanted)) continue;
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(i));
    return Value::none();
  }
  return runtime.fail("the value to remove is not in the list");
}

Value reverse_list(Runtime& runtime, const Value& self, Arguments& args) {
  expect_no_arguments(runtime, "reverse", args);
  std::vector<Value>& items = self.sequence().items;
  if (!runtime.step(static_cast<int64_t>(items.size()))) return Value();
  std::reverse(items.begin(), items.end());
  return Value::none();
}

Value clear_list(Runtime& runtime, const Value& self, Arguments& args) {
  expect_no_arguments(runtime, "clear", args);
  self.sequence().items.clear();
  return Value::none();
}

// Dicts ------------------------------------------------------------------------------------------

template <ViewObject::What kWhat>
Value view(Runtime& runtime, const Value& self, Arguments& args) {
  expect_no_arguments(runtime, "a view of a dict", args);
  auto* made = runtime.make<ViewObject>();
  made->dict = &self.dict();
  made->what = kWhat;
  return Value::object(Kind::kView, made);
}

Value none_if_missing(const Value& value) { return value.is_missing() ? Value::none() : value; }

const Value* find_key(Runtime& runtime, const Value& self, const Value& key) {
  if (is_hashable(key)) return self.dict().entries.find(key);
  runtime.fail("unhashable type: '{}'", type_name(key));
  return nullptr;
}

Value get(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [key, fallback] = bind(runtime, "get", args, {"key", "default"});
  if (key.is_missing()) return runtime.fail("get takes at least one argument");
  const Value* found = find_key(runtime, self, key);
  return found != nullptr ? *found : none_if_missing(fallback);
}

Value copy_dict(Runtime& runtime, const Value& self, Arguments& args) {
  expect_no_arguments(runtime, "copy", args);
  const Value copy = runtime.make_dict();
  if (!runtime.allow_elements(self.dict().entries.size())) return Value();
  copy.dict().entries = self.dict().entries;
  return copy;
}

Value set_default(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [key, fallback] = bind(runtime, "setdefault", args, {"key", "default"});
  if (const Value* found = find_key(runtime, self, key)) return *found;
  const Value value = none_if_missing(fallback);
  if (runtime.allow_elements(1)) self.dict().entries.set(key, value);
  return value;
}

Value pop_key(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [key, fallback] = bind(runtime, "pop", args, {"key", "default"});
  const Value* found = find_key(runtime, self, key);
  if (found == nullptr) {
    return fallback.is_missing() ? runtime.fail("pop: no such key") : fallback;
  }
  const Value value = *found;
  if (runtime.step(static_cast<int64_t>(self.dict().entries.size()))) {
    self.dict().entries.erase(key);
  }
  return value;
}

Value update(Runtime& runtime, const Value& self, Arguments& args) {
  if (args.positional.size() > 1) return runtime.fail("update takes at most one argument");
  Dict& entries = self.dict().entries;
  if (!args.positional.empty()) {
    const Value& source = args.positional[0];
    if (!source.is(Kind::kDict)) return runtime.fail("update wants a mapping");
    const std::vector<Dict::Entry> added = source.dict().entries.entries();
    if (!runtime.allow_elements(added.size())) return Value();
    for (const Dict::Entry& entry : added) entries.set(entry.key, entry.value);
  }
  if (!runtime.allow_elements(args.named.size())) return Value();
  for (auto& [name, value] : args.named) entries.set(Value::string(name), std::move(value));
  return Value::none();
}

Value clear_dict(Runtime& runtime, const Value& self, Arguments& args) {
  expect_no_arguments(runtime, "clear", args);
  self.dict().entries.clear();
  return Value::none();
}

// Cyclers ----------------------------------------------------------------------------------------

Value current_item(Runtime&, const Value& self, Arguments&) {
  const CyclerObject& cycler = self.cycler();
  return cycler.items[cycler.position];
}

Value next_item(Runtime& runtime, const Value& self, Arguments& args) {
  expect_no_arguments(runtime, "next", args);
  CyclerObject& cycler = self.cycler();
  const Value item = cycler.items[cycler.position];
  cycler.position = (cycler.position + 1) % cycler.items.size();
  return item;
}

Value reset(Runtime& runtime, const Value& self, Arguments& args) {
  expect_no_arguments(runtime, "reset", args);
  self.cycler().position = 0;
  return Value::none();
}

}  // namespace

std::span<const Method> list_methods() {
  static constexpr Method kTable[] = {
      {"append", append},    {"count", count_items},  {"index", index_of},
      {"copy", copy_list},   {"extend", extend},      {"insert", insert},
      {"pop", pop_item},     {"remove", remove_item}, {"reverse", reverse_list},
      {"clear", clear_list},
  };
  return kTable;
}

std::span<const Method> tuple_methods() {
  static constexpr Method kTable[] = {{"count", count_items}, {"index", index_of}};
  return kTable;
}

std::span<const Method> dict_methods() {
  static constexpr Method kTable[] = {
      {"get", get},
      {"items", view<ViewObject::What::kItems>},
      {"keys", view<ViewObject::What::kKeys>},
      {"values", view<ViewObject::What::kValues>},
      {"copy", copy_dict},
      {"update", update},
      {"pop", pop_key},
      {"setdefault", set_default},
      {"clear", clear_dict},
  };
  return kTable;
}

std::span<const Method> cycler_methods() {
  static constexpr Method kTable[] = {
      {"next", next_item}, {"reset", reset}, {"current", current_item, true}};
  return kTable;
}

}  // namespace forge::text::jinja
