// Filters on sequences that keep their order.
#include <algorithm>
#include <iterator>

#include "forge/text/jinja/access.h"
#include "forge/text/jinja/cursor.h"
#include "forge/text/jinja/filters.h"
#include "forge/text/jinja/operators.h"
#include "forge/text/jinja/python_text.h"
#include "forge/text/jinja/tests.h"

namespace forge::text::jinja {

namespace {

Value length(Runtime& runtime, const Value& self, Arguments& args) {
  expect_no_arguments(runtime, "length", args);
  if (self.is_string() && !runtime.charge_bytes(self.text().size())) return Value();
  if (const auto count = length_of(self)) return Value::integer(*count);
  if (self.is(Kind::kLoop)) return get_attribute(runtime, self, "length");
  return runtime.fail("object of type '{}' has no len()", type_name(self));
}

Value list(Runtime& runtime, const Value& self, Arguments& args) {
  expect_no_arguments(runtime, "list", args);
  return runtime.make_list(to_items(runtime, self));
}

Value items(Runtime& runtime, const Value& self, Arguments& args) {
  expect_no_arguments(runtime, "items", args);
  if (self.is_undefined()) return runtime.make_iterator({});
  if (!self.is(Kind::kDict)) return runtime.fail("can only get item pairs from a mapping");
  std::vector<Value> pairs;
  for (const Dict::Entry& entry : self.dict().entries.entries()) {
    if (!runtime.step()) break;
    pairs.push_back(runtime.make_tuple({entry.key, entry.value}));
  }
  return runtime.make_iterator(std::move(pairs));
}

Value first(Runtime& runtime, const Value& self, Arguments& args) {
  expect_no_arguments(runtime, "first", args);
  std::optional<Cursor> cursor = Cursor::over(runtime, self);
  Value item;
  if (cursor && cursor->next(runtime, item)) return item;
  return Value::undefined("no first item, the sequence was empty");
}

Value last(Runtime& runtime, const Value& self, Arguments& args) {
  expect_no_arguments(runtime, "last", args);
  if (self.is(Kind::kIterator)) return runtime.fail("'generator' object is not reversible");
  std::vector<Value> all = to_items(runtime, self);
  if (!all.empty()) return all.back();
  return Value::undefined("no last item, the sequence was empty");
}

Value reverse(Runtime& runtime, const Value& self, Arguments& args) {
  expect_no_arguments(runtime, "reverse", args);
  std::vector<Value> all = to_items(runtime, self);
  std::reverse(all.begin(), all.end());
  if (!self.is_string()) {
    return self.is(Kind::kIterator) ? runtime.make_list(std::move(all))
                                    : runtime.make_iterator(std::move(all));
  }
  std::string text;
  for (const Value& character : all) text += character.text();
  return Value::string(std::move(text));
}

Value batch(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [linecount, fill] = bind(runtime, "batch", args, {"linecount", "fill_with"});
  const int64_t size = int_or(runtime, "batch", linecount, 0);
  std::vector<Value> rows;
  std::vector<Value> row;
  for (const Value& item : to_items(runtime, self)) {
    if (static_cast<int64_t>(row.size()) == size) {
      rows.push_back(runtime.make_list(std::move(row)));
      row.clear();
    }
    row.push_back(item);
  }
  if (!row.empty()) {
    const int64_t missing = size - static_cast<int64_t>(row.size());
    if (!fill.is_missing() && !fill.is_none() && missing > 0) {
      if (!runtime.allow_elements(static_cast<size_t>(std::min<int64_t>(missing, INT32_MAX)))) {
        return Value();
      }
      row.insert(row.end(), static_cast<size_t>(missing), fill);
    }
    rows.push_back(runtime.make_list(std::move(row)));
  }
  return runtime.make_iterator(std::move(rows));
}

Value slice(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [slices, fill] = bind(runtime, "slice", args, {"slices", "fill_with"});
  const int64_t count = int_or(runtime, "slice", slices, 0);
  if (count == 0) return runtime.fail("slice: division by zero");
  const std::vector<Value> all = to_items(runtime, self);
  if (!runtime.allow_elements(static_cast<size_t>(std::clamp<int64_t>(count, 0, INT32_MAX)))) {
    return Value();
  }
  const auto size = static_cast<int64_t>(all.size());
  std::vector<Value> columns;
  int64_t at = 0;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t length = size / count + (i < size % count ? 1 : 0);
    std::vector<Value> column(all.begin() + at, all.begin() + at + length);
    at += length;
    if (!fill.is_missing() && !fill.is_none() && i >= size % count) column.push_back(fill);
    columns.push_back(runtime.make_list(std::move(column)));
    if (!runtime.step()) return Value();
  }
  return runtime.make_iterator(std::move(columns));
}

Value sum(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [attribute, start] = bind(runtime, "sum", args, {"attribute", "start"});
  const AttributePath path(attribute);
  Value total = start.is_missing() ? Value::integer(0) : start;
  if (total.is_string()) return runtime.fail("sum cannot add strings, use join");
  for (const Value& item : to_items(runtime, self)) {
    if (runtime.failed()) break;
    total = add(runtime, total, path.of(runtime, item));
  }
  return total;
}

// map, select and the like -----------------------------------------------------------------------

Value map(Runtime& runtime, const Value& self, Arguments& args) {
  if (!truth(self)) return runtime.make_iterator({});
  std::vector<Value> mapped;
  if (args.positional.empty()) {
    const auto [attribute, fallback] = bind(runtime, "map", args, {"attribute", "default"});
    if (attribute.is_missing()) return runtime.fail("map wants a filter or an attribute");
    const AttributePath path(attribute);
    for (const Value& item : to_items(runtime, self)) {
      if (runtime.failed()) break;
      mapped.push_back(path.of(runtime, item, fallback.is_missing() ? Value::none() : fallback));
    }
    return runtime.make_iterator(std::move(mapped));
  }
  const std::string name(string_of(runtime, "map", args.positional[0]));
  const Native filter = find_filter(name);
  if (filter == nullptr) return runtime.fail("no filter named '{}'", name);
  args.positional.erase(args.positional.begin());
  for (const Value& item : to_items(runtime, self)) {
    if (runtime.failed()) break;
    Arguments copy = args;  // a filter may move out of its arguments
    mapped.push_back(filter(runtime, item, copy));
  }
  return runtime.make_iterator(std::move(mapped));
}

/// select, reject, selectattr, rejectattr: keeps what passes the test (by default: is true).
template <bool kKeeps, bool kOfAttribute>
Value select(Runtime& runtime, const Value& self, Arguments& args) {
  if (!truth(self)) return runtime.make_iterator({});  // none too
  AttributePath path((Value()));
  if (kOfAttribute) {
    if (args.positional.empty()) return runtime.fail("missing parameter for attribute name");
    path = AttributePath(args.positional[0]);
    args.positional.erase(args.positional.begin());
  }
  Test test = nullptr;
  if (!args.positional.empty()) {
    const std::string name(string_of(runtime, "select", args.positional[0]));
    test = find_test(name);
    if (test == nullptr) return runtime.fail("no test named '{}'", name);
    args.positional.erase(args.positional.begin());
  }
  std::vector<Value> kept;
  for (const Value& item : to_items(runtime, self)) {
    if (runtime.failed()) break;
    const Value tested = kOfAttribute ? path.of(runtime, item) : item;
    Arguments copy = args;
    const bool passes = test == nullptr ? truth(tested) : test(runtime, tested, copy);
    if (passes == kKeeps) kept.push_back(item);
  }
  return runtime.make_iterator(std::move(kept));
}

}  // namespace

std::span<const NamedNative> sequence_filters() {
  static constexpr NamedNative kTable[] = {
      {"batch", batch},
      {"count", length},
      {"first", first},
      {"items", items},
      {"last", last},
      {"length", length},
      {"list", list},
      {"map", map},
      {"reject", select<false, false>},
      {"rejectattr", select<false, true>},
      {"reverse", reverse},
      {"select", select<true, false>},
      {"selectattr", select<true, true>},
      {"slice", slice},
      {"sum", sum},
  };
  return kTable;
}

}  // namespace forge::text::jinja
