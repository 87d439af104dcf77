// Filters that compare elements: sort, unique, min, max, groupby, dictsort.
#include <algorithm>
#include <numeric>

#include "forge/text/jinja/access.h"
#include "forge/text/jinja/cursor.h"
#include "forge/text/jinja/filters.h"
#include "forge/text/jinja/letter_case.h"
#include "forge/text/jinja/operators.h"
#include "forge/text/jinja/python_text.h"

namespace forge::text::jinja {

namespace {

Value ignore_case(const Value& value) {
  return value.is_string() ? Value::string(to_lower(value.text())) : value;
}

Value comparable(const Value& value, bool is_case_sensitive) {
  return is_case_sensitive ? value : ignore_case(value);
}

/// The order in which stable sorting by the keys puts the elements; reverse keeps equal ones in
/// place.
std::vector<size_t> sorted_order(Runtime& runtime, const std::vector<Value>& keys,
                                 bool is_reverse) {
  std::vector<size_t> order(keys.size());
  std::iota(order.begin(), order.end(), size_t{0});
  // Without a consistent order (failed comparisons, NaN) stable_sort still only permutes.
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    if (runtime.failed()) return false;
    return is_reverse ? less(runtime, keys[b], keys[a]) : less(runtime, keys[a], keys[b]);
  });
  return order;
}

Value sort(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [reverse, case_sensitive, attribute] =
      bind(runtime, "sort", args, {"reverse", "case_sensitive", "attribute"});
  const bool is_case_sensitive = bool_or(case_sensitive, false);
  std::vector<AttributePath> paths;
  if (attribute.is_string()) {
    for (const std::string_view one : split(attribute.text(), ",", -1)) paths.emplace_back(one);
  } else {
    paths.emplace_back(attribute);
  }
  const std::vector<Value> all = to_items(runtime, self);
  std::vector<Value> keys;
  for (const Value& item : all) {
    if (runtime.failed()) return Value();
    std::vector<Value> parts;
    for (const AttributePath& path : paths) {
      parts.push_back(comparable(path.of(runtime, item), is_case_sensitive));
    }
    keys.push_back(runtime.make_list(std::move(parts)));  // compared by == first, then by <
  }
  std::vector<Value> sorted;
  for (const size_t i : sorted_order(runtime, keys, bool_or(reverse, false))) {
    sorted.push_back(all[i]);
  }
  return runtime.make_list(std::move(sorted));
}

Value dict_sort(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [case_sensitive, by, reverse] =
      bind(runtime, "dictsort", args, {"case_sensitive", "by", "reverse"});
  const std::string_view what = by.is_missing() ? "key" : string_of(runtime, "dictsort", by);
  if (what != "key" && what != "value") {
    return runtime.fail("dictsort: you can only sort by either \"key\" or \"value\"");
  }
  if (self.is_undefined()) return runtime.fail_undefined(self);
  if (!self.is(Kind::kDict)) return runtime.fail("dictsort wants a dict, not {}", type_name(self));
  const std::vector<Dict::Entry>& entries = self.dict().entries.entries();
  std::vector<Value> keys;
  for (const Dict::Entry& entry : entries) {
    keys.push_back(
        comparable(what == "key" ? entry.key : entry.value, bool_or(case_sensitive, false)));
  }
  std::vector<Value> sorted;
  for (const size_t i : sorted_order(runtime, keys, bool_or(reverse, false))) {
    sorted.push_back(runtime.make_tuple({entries[i].key, entries[i].value}));
  }
  return runtime.make_list(std::move(sorted));
}

Value unique(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [case_sensitive, attribute] =
      bind(runtime, "unique", args, {"case_sensitive", "attribute"});
  const AttributePath path(attribute);
  Dict seen;
  std::vector<Value> kept;
  for (const Value& item : to_items(runtime, self)) {
    const Value key = comparable(path.of(runtime, item), bool_or(case_sensitive, false));
    if (!runtime.failed() && !is_hashable(key)) {
      runtime.fail("unhashable type: '{}'", type_name(key));
    }
    if (runtime.failed()) return Value();
    if (seen.find(key) != nullptr) continue;
    seen.set(key, Value::none());
    kept.push_back(item);
  }
  return runtime.make_iterator(std::move(kept));
}

template <bool kMax>
Value extreme(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [case_sensitive, attribute] =
      bind(runtime, kMax ? "max" : "min", args, {"case_sensitive", "attribute"});
  const AttributePath path(attribute);
  Value best = Value::missing();
  Value best_key;
  for (const Value& item : to_items(runtime, self)) {
    const Value key = comparable(path.of(runtime, item), bool_or(case_sensitive, false));
    if (runtime.failed()) return Value();
    const bool is_better =
        best.is_missing() || (kMax ? less(runtime, best_key, key) : less(runtime, key, best_key));
    if (!is_better) continue;
    best = item;
    best_key = key;
  }
  if (!best.is_missing()) return best;
  return Value::undefined("no aggregated item, the sequence was empty");
}

/// Pairs of the attribute's value and the list of elements that have it. (In Jinja the pairs also
/// have attributes grouper and list.)
Value group_by(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [attribute, fallback, case_sensitive] =
      bind(runtime, "groupby", args, {"attribute", "default", "case_sensitive"});
  if (attribute.is_missing()) return runtime.fail("groupby wants an attribute");
  const AttributePath path(attribute);
  const Value absent = fallback.is_missing() ? Value::none() : fallback;
  const std::vector<Value> all = to_items(runtime, self);
  std::vector<Value> values;
  std::vector<Value> keys;
  for (const Value& item : all) {
    if (runtime.failed()) return Value();
    values.push_back(path.of(runtime, item, absent));
    keys.push_back(comparable(values.back(), bool_or(case_sensitive, false)));
  }
  const std::vector<size_t> order = sorted_order(runtime, keys, false);
  std::vector<Value> groups;
  for (size_t begin = 0; begin < order.size() && !runtime.failed();) {
    size_t end = begin;
    std::vector<Value> members;
    while (end < order.size() && equals(runtime, keys[order[end]], keys[order[begin]])) {
      members.push_back(all[order[end++]]);
    }
    if (end == begin) {  // a NaN is not equal to itself
      members.push_back(all[order[end++]]);
    }
    groups.push_back(
        runtime.make_tuple({values[order[begin]], runtime.make_list(std::move(members))}));
    begin = end;
  }
  return runtime.make_list(std::move(groups));
}

}  // namespace

std::span<const NamedNative> order_filters() {
  static constexpr NamedNative kTable[] = {
      {"dictsort", dict_sort}, {"groupby", group_by}, {"max", extreme<true>},
      {"min", extreme<false>}, {"sort", sort},        {"unique", unique},
  };
  return kTable;
}

}  // namespace forge::text::jinja
