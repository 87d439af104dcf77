// The methods of Python's str that give strings and lists of strings.
#include <algorithm>
#include <iterator>

#include "forge/text/jinja/arguments.h"
#include "forge/text/jinja/cursor.h"
#include "forge/text/jinja/format.h"
#include "forge/text/jinja/letter_case.h"
#include "forge/text/jinja/methods.h"
#include "forge/text/jinja/python_text.h"
#include "forge/text/jinja/string_queries.h"
#include "forge/text/jinja/text_form.h"

namespace forge::text::jinja {

namespace {

template <std::string (*kChange)(std::string_view)>
Value change_case(Runtime& runtime, const Value& self, Arguments& args) {
  expect_no_arguments(runtime, "a case method", args);
  if (!runtime.charge_bytes(self.text().size())) return Value();
  return text_like(self, kChange(self.text()));
}

template <Side kSide>
Value strip_method(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [set] = bind(runtime, "strip", args, {"chars"});
  if (!runtime.charge_bytes(self.text().size())) return Value();
  if (set.is_missing() || set.is_none()) {
    return text_like(self, std::string(strip(self.text(), kSide)));
  }
  const std::string_view chars = string_of(runtime, "strip", set);
  return text_like(self, std::string(strip(self.text(), kSide, chars)));
}

Value make_strings(Runtime& runtime, const Value& self,
                   const std::vector<std::string_view>& parts) {
  std::vector<Value> items;
  items.reserve(parts.size());
  if (!runtime.step(static_cast<int64_t>(parts.size()))) return Value();
  for (const std::string_view part : parts) items.push_back(text_like(self, std::string(part)));
  return runtime.make_list(std::move(items));
}

template <bool kFromRight>
Value split_method(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [sep, maxsplit] = bind(runtime, "split", args, {"sep", "maxsplit"});
  const int64_t max_splits = int_or(runtime, "split", maxsplit, -1);
  const std::string& text = self.text();
  if (!runtime.charge_bytes(text.size())) return Value();
  if (sep.is_missing() || sep.is_none()) {
    return make_strings(
        runtime, self, kFromRight ? rsplit_space(text, max_splits) : split_space(text, max_splits));
  }
  const std::string_view separator = string_of(runtime, "split", sep);
  if (runtime.failed()) return Value();
  if (separator.empty()) return runtime.fail("split: empty separator");
  // rsplit compares at every position: charged by the product, which long separators make large.
  if (kFromRight && !runtime.charge_bytes(text.size() * std::min<size_t>(separator.size(), 4096))) {
    return Value();
  }
  return make_strings(
      runtime, self,
      kFromRight ? rsplit(text, separator, max_splits) : split(text, separator, max_splits));
}

Value splitlines(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [keepends] = bind(runtime, "splitlines", args, {"keepends"});
  if (!runtime.charge_bytes(self.text().size())) return Value();
  return make_strings(runtime, self, split_lines(self.text(), bool_or(keepends, false)));
}

template <bool kFromRight>
Value partition(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [sep] = bind(runtime, "partition", args, {"sep"});
  const std::string_view separator = string_of(runtime, "partition", sep);
  if (runtime.failed()) return Value();
  if (separator.empty()) return runtime.fail("partition: empty separator");
  const std::string_view text = self.text();
  if (!runtime.charge_bytes(text.size() * std::min<size_t>(separator.size(), 4096))) return Value();
  const size_t found = kFromRight ? text.rfind(separator) : find_text(text, separator, 0);
  if (found == std::string_view::npos) {
    const Value empty = Value::string("");
    return kFromRight ? runtime.make_tuple({empty, empty, self})
                      : runtime.make_tuple({self, empty, empty});
  }
  return runtime.make_tuple({Value::string(text.substr(0, found)), Value::string(separator),
                             Value::string(text.substr(found + separator.size()))});
}

Value replace(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [from, to, count] = bind(runtime, "replace", args, {"old", "new", "count"});
  return replace_checked(runtime, self, string_of(runtime, "replace", from),
                         string_of(runtime, "replace", to), int_or(runtime, "replace", count, -1));
}

Value join(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [iterable] = bind(runtime, "join", args, {"iterable"});
  std::string out;
  bool is_first = true;
  for (const Value& item : to_items(runtime, iterable)) {
    if (!is_first) out += self.text();
    is_first = false;
    out += string_of(runtime, "join", item);
    if (!runtime.allow_string(out.size())) return Value();
  }
  return text_like(self, std::move(out));
}

enum class Justify : uint8_t { kLeft, kRight, kCenter };

template <Justify kHow>
Value justify(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [width, fillchar] = bind(runtime, "justify", args, {"width", "fillchar"});
  const std::string fill =
      fillchar.is_missing() ? " " : std::string(string_of(runtime, "justify", fillchar));
  if (!runtime.failed() && count_chars(fill) != 1) return runtime.fail("a fill of one character");
  const int64_t wanted = int_or(runtime, "justify", width, 0);
  const int64_t missing = wanted - static_cast<int64_t>(count_chars(self.text()));
  if (missing <= 0) return self;
  if (!runtime.allow_string(static_cast<size_t>(missing) * fill.size())) return Value();
  // str.center puts the odd character to the left where the width is odd.
  const int64_t left = kHow == Justify::kLeft    ? 0
                       : kHow == Justify::kRight ? missing
                                                 : missing / 2 + (missing & wanted & 1);
  std::string out;
  for (int64_t i = 0; i < left; ++i) out += fill;
  out += self.text();
  for (int64_t i = left; i < missing; ++i) out += fill;
  return text_like(self, std::move(out));
}

Value zfill(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [width] = bind(runtime, "zfill", args, {"width"});
  const std::string& text = self.text();
  const int64_t missing =
      int_or(runtime, "zfill", width, 0) - static_cast<int64_t>(count_chars(text));
  if (missing <= 0) return self;
  if (!runtime.allow_string(static_cast<size_t>(missing))) return Value();
  const size_t sign = !text.empty() && (text[0] == '+' || text[0] == '-') ? 1 : 0;
  return text_like(self, text.substr(0, sign) + std::string(static_cast<size_t>(missing), '0') +
                             text.substr(sign));
}

template <bool kPrefix>
Value remove_affix(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [affix] = bind(runtime, "removeprefix", args, {"affix"});
  const std::string_view wanted = string_of(runtime, "removeprefix", affix);
  std::string_view text = self.text();
  if (kPrefix && text.starts_with(wanted)) text.remove_prefix(wanted.size());
  if (!kPrefix && text.ends_with(wanted)) text.remove_suffix(wanted.size());
  return text_like(self, std::string(text));
}

Value format(Runtime& runtime, const Value& self, Arguments& args) {
  return format_braces(runtime, self, args);
}

Value format_map(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [mapping] = bind(runtime, "format_map", args, {"mapping"});
  if (!mapping.is(Kind::kDict)) return runtime.fail("format_map wants a mapping");
  Arguments named;
  for (const Dict::Entry& entry : mapping.dict().entries.entries()) {
    if (entry.key.is_string()) named.named.emplace_back(entry.key.text(), entry.value);
  }
  return format_braces(runtime, self, named);
}

}  // namespace

Value replace_checked(Runtime& runtime, const Value& self, std::string_view from,
                      std::string_view to, int64_t max_count) {
  if (runtime.failed() || !runtime.charge_bytes(self.text().size())) return Value();
  size_t grown = 0;
  if (to.size() > from.size() &&
      __builtin_mul_overflow(count_text(self.text(), from), to.size() - from.size(), &grown)) {
    grown = SIZE_MAX / 2;
  }
  if (max_count >= 0 && grown > 0) {
    grown = std::min(grown, static_cast<size_t>(max_count) * (to.size() - from.size()));
  }
  if (!runtime.allow_string(self.text().size() + grown)) return Value();
  return text_like(self, replace_text(self.text(), from, to, max_count));
}

std::span<const Method> string_methods() {
  static constexpr Method kTable[] = {
      {"strip", strip_method<Side::kBoth>},
      {"split", split_method<false>},
      {"startswith", starts_with},
      {"endswith", ends_with},
      {"replace", replace},
      {"lstrip", strip_method<Side::kLeft>},
      {"rstrip", strip_method<Side::kRight>},
      {"format", format},
      {"join", join},
      {"lower", change_case<to_lower>},
      {"upper", change_case<to_upper>},
      {"title", change_case<to_title>},
      {"capitalize", change_case<to_capitalized>},
      {"casefold", change_case<to_lower>},
      {"swapcase", change_case<swap_case>},
      {"find", find<false>},
      {"rfind", find<true>},
      {"index", index<false>},
      {"rindex", index<true>},
      {"count", count},
      {"rsplit", split_method<true>},
      {"splitlines", splitlines},
      {"partition", partition<false>},
      {"rpartition", partition<true>},
      {"removeprefix", remove_affix<true>},
      {"removesuffix", remove_affix<false>},
      {"ljust", justify<Justify::kLeft>},
      {"rjust", justify<Justify::kRight>},
      {"center", justify<Justify::kCenter>},
      {"zfill", zfill},
      {"format_map", format_map},
      {"isalnum", is_alnum},
      {"isalpha", is_alpha},
      {"isascii", is_ascii_text},
      {"isdecimal", is_decimal_text},
      {"isdigit", is_digit_text},
      {"isnumeric", is_numeric_text},
      {"islower", is_lower},
      {"isupper", is_upper},
      {"isspace", is_space_text},
      {"istitle", is_title},
      {"isidentifier", is_identifier},
  };
  return kTable;
}

}  // namespace forge::text::jinja
