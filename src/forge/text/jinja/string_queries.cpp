#include "forge/text/jinja/string_queries.h"

#include <algorithm>
#include <optional>

#include "forge/text/jinja/arguments.h"
#include "forge/text/jinja/letter_case.h"
#include "forge/text/jinja/python_text.h"

namespace forge::text::jinja {

namespace {

/// The part of the text that [start:end] names, and where it begins in bytes; nothing where start
/// is beyond the text's end.
struct Part {
  std::string_view text;
  size_t offset = 0;
};

std::optional<Part> part_of(Runtime& runtime, std::string_view text, const Value& start,
                            const Value& end) {
  if (start.is_missing() && end.is_missing()) return Part{text, 0};
  const auto size = static_cast<int64_t>(count_chars(text));
  const auto resolve = [&](const Value& bound, int64_t absent) {
    const int64_t at = int_or(runtime, "start and end", bound, absent);
    return at < 0 ? std::max<int64_t>(at + size, 0) : at;
  };
  const int64_t from = resolve(start, 0);
  const int64_t to = std::min(resolve(end, size), size);
  if (from > size || from > to || runtime.failed()) return std::nullopt;
  const size_t first = char_offset(text, static_cast<size_t>(from));
  const size_t last = char_offset(text, static_cast<size_t>(to));
  return Part{text.substr(first, last - first), first};
}

bool has_affix(std::string_view text, std::string_view affix, bool at_start) {
  return at_start ? text.starts_with(affix) : text.ends_with(affix);
}

Value affix_query(Runtime& runtime, const Value& self, Arguments& args, bool at_start) {
  const std::string_view function = at_start ? "startswith" : "endswith";
  const auto [affix, start, end] = bind(runtime, function, args, {"affix", "start", "end"});
  if (runtime.failed()) return Value();
  const std::optional<Part> part = part_of(runtime, self.text(), start, end);
  if (affix.is(Kind::kTuple)) {
    for (const Value& one : affix.sequence().items) {
      const std::string_view wanted = string_of(runtime, function, one);
      if (part && has_affix(part->text, wanted, at_start)) return Value::boolean(true);
    }
    return Value::boolean(false);
  }
  const std::string_view wanted = string_of(runtime, function, affix);
  return Value::boolean(part && has_affix(part->text, wanted, at_start));
}

/// Character index of the first or last occurrence, or -1.
int64_t position(Runtime& runtime, const Value& self, Arguments& args, bool from_right) {
  const auto [sub, start, end] = bind(runtime, "find", args, {"sub", "start", "end"});
  const std::string_view wanted = string_of(runtime, "find", sub);
  const std::string_view text = self.text();
  const size_t work = from_right ? std::min<size_t>(wanted.size() + 1, 4096) : 1;
  if (runtime.failed() || !runtime.charge_bytes(text.size() * work)) return -1;
  const std::optional<Part> part = part_of(runtime, text, start, end);
  if (!part) return -1;
  const size_t found = from_right ? part->text.rfind(wanted) : find_text(part->text, wanted, 0);
  if (found == std::string_view::npos) return -1;
  return static_cast<int64_t>(count_chars(text.substr(0, part->offset + found)));
}

template <typename Matches>
Value all_chars(Runtime& runtime, const Value& self, const Arguments& args, Matches matches) {
  expect_no_arguments(runtime, "a string test", args);
  if (!runtime.charge_bytes(self.text().size())) return Value();
  const std::u32string points = to_code_points(self.text());
  return Value::boolean(!points.empty() && std::all_of(points.begin(), points.end(), matches));
}

}  // namespace

Value starts_with(Runtime& runtime, const Value& self, Arguments& args) {
  return affix_query(runtime, self, args, true);
}

Value ends_with(Runtime& runtime, const Value& self, Arguments& args) {
  return affix_query(runtime, self, args, false);
}

template <bool kFromRight>
Value find(Runtime& runtime, const Value& self, Arguments& args) {
  return Value::integer(position(runtime, self, args, kFromRight));
}

template <bool kFromRight>
Value index(Runtime& runtime, const Value& self, Arguments& args) {
  const int64_t found = position(runtime, self, args, kFromRight);
  return found < 0 ? runtime.fail("substring not found") : Value::integer(found);
}

template Value find<false>(Runtime&, const Value&, Arguments&);
template Value find<true>(Runtime&, const Value&, Arguments&);
template Value index<false>(Runtime&, const Value&, Arguments&);
template Value index<true>(Runtime&, const Value&, Arguments&);

Value count(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [sub, start, end] = bind(runtime, "count", args, {"sub", "start", "end"});
  const std::string_view wanted = string_of(runtime, "count", sub);
  if (runtime.failed() || !runtime.charge_bytes(self.text().size())) return Value();
  const std::optional<Part> part = part_of(runtime, self.text(), start, end);
  return Value::integer(part ? static_cast<int64_t>(count_text(part->text, wanted)) : 0);
}

Value is_alnum(Runtime& runtime, const Value& self, Arguments& args) {
  return all_chars(runtime, self, args, [](char32_t c) { return is_letter(c) || is_numeric(c); });
}
Value is_alpha(Runtime& runtime, const Value& self, Arguments& args) {
  return all_chars(runtime, self, args, is_letter);
}
Value is_decimal_text(Runtime& runtime, const Value& self, Arguments& args) {
  return all_chars(runtime, self, args, is_decimal);
}
Value is_digit_text(Runtime& runtime, const Value& self, Arguments& args) {
  // Python also counts superscripts and circled digits.
  return all_chars(runtime, self, args, [](char32_t c) {
    return is_decimal(c) || c == 0xB2 || c == 0xB3 || c == 0xB9 || (c >= 0x2070 && c <= 0x2079) ||
           (c >= 0x2080 && c <= 0x2089) || (c >= 0x2460 && c <= 0x2468);
  });
}
Value is_numeric_text(Runtime& runtime, const Value& self, Arguments& args) {
  return all_chars(runtime, self, args, is_numeric);
}
Value is_space_text(Runtime& runtime, const Value& self, Arguments& args) {
  return all_chars(runtime, self, args, is_space);
}

Value is_ascii_text(Runtime& runtime, const Value& self, Arguments& args) {
  expect_no_arguments(runtime, "isascii", args);
  return Value::boolean(is_ascii(self.text()));
}
Value is_lower(Runtime& runtime, const Value& self, Arguments& args) {
  expect_no_arguments(runtime, "islower", args);
  return Value::boolean(is_all_lower(self.text()));
}
Value is_upper(Runtime& runtime, const Value& self, Arguments& args) {
  expect_no_arguments(runtime, "isupper", args);
  return Value::boolean(is_all_upper(self.text()));
}
Value is_title(Runtime& runtime, const Value& self, Arguments& args) {
  expect_no_arguments(runtime, "istitle", args);
  const bool has_cased = is_all_lower(self.text()) || is_all_upper(self.text()) ||
                         to_lower(self.text()) != self.text();
  return Value::boolean(has_cased && to_title(self.text()) == self.text());
}
Value is_identifier(Runtime& runtime, const Value& self, Arguments& args) {
  const Value is_all_word = all_chars(runtime, self, args, is_word);
  const char32_t first = self.text().empty() ? U'0' : to_code_points(self.text())[0];
  return Value::boolean(is_all_word.as_bool() && !is_numeric(first));
}

}  // namespace forge::text::jinja
