// Filters on text.
#include <algorithm>

#include "forge/text/jinja/access.h"
#include "forge/text/jinja/cursor.h"
#include "forge/text/jinja/filters.h"
#include "forge/text/jinja/format.h"
#include "forge/text/jinja/letter_case.h"
#include "forge/text/jinja/operators.h"
#include "forge/text/jinja/python_text.h"
#include "forge/text/jinja/string_queries.h"
#include "forge/text/jinja/text_form.h"

namespace forge::text::jinja {

namespace {

template <std::string (*kChange)(std::string_view)>
Value change_case(Runtime& runtime, const Value& self, Arguments& args) {
  expect_no_arguments(runtime, "a case filter", args);
  const Value text = soft_text(runtime, self);
  if (!runtime.charge_bytes(text.text().size())) return Value();
  return text_like(text, kChange(text.text()));
}

/// Each word with an upper-case first letter; words end at white space and - ( { [ <, so that
/// "don't" stays one.
std::string title_words(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const auto ends_word = [text](size_t i) {
      return std::string_view("-({[<").find(text[i]) != std::string_view::npos ||
             strip(text.substr(i, char_offset(text.substr(i, 4), 1)), Side::kBoth).empty();
    };
    if (ends_word(at)) {
      const size_t length = char_offset(text.substr(at, 4), 1);
      out += text.substr(at, length);
      at += length;
      continue;
    }
    size_t end = at;
    while (end < text.size() && !ends_word(end)) end += char_offset(text.substr(end, 4), 1);
    const size_t first = char_offset(text.substr(at, 4), 1);
    out += to_upper(text.substr(at, first));
    out += to_lower(text.substr(at + first, end - at - first));
    at = end;
  }
  return out;
}

Value trim(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [chars] = bind(runtime, "trim", args, {"chars"});
  const Value text = soft_text(runtime, self);
  if (!runtime.charge_bytes(text.text().size())) return Value();
  if (chars.is_missing() || chars.is_none()) {
    return text_like(text, std::string(strip(text.text(), Side::kBoth)));
  }
  const std::string_view set = string_of(runtime, "trim", chars);
  return text_like(text, std::string(strip(text.text(), Side::kBoth, set)));
}

Value replace(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [from, to, count] = bind(runtime, "replace", args, {"old", "new", "count"});
  const std::string old_text = to_text(runtime, from);
  const std::string new_text = to_text(runtime, to);
  if (from.is_missing() || to.is_missing()) return runtime.fail("replace wants two strings");
  return replace_checked(runtime, Value::string(to_text(runtime, self)), old_text, new_text,
                         int_or(runtime, "replace", count, -1));
}

Value indent(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [width, first, blank] = bind(runtime, "indent", args, {"width", "first", "blank"});
  std::string margin;
  if (width.is_string()) {
    margin = width.text();
  } else {
    const int64_t n = std::max<int64_t>(int_or(runtime, "indent", width, 4), 0);
    if (!runtime.allow_string(static_cast<size_t>(n))) return Value();
    margin.assign(static_cast<size_t>(n), ' ');
  }
  const std::string source = std::string(string_of(runtime, "indent", self)) + "\n";
  const std::vector<std::string_view> lines = split_lines(source, false);
  if (runtime.failed() || !runtime.allow_string(source.size() + lines.size() * margin.size())) {
    return Value();
  }
  std::string out = bool_or(first, false) ? margin : "";
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out += '\n';
    if (i > 0 && (bool_or(blank, false) || !lines[i].empty())) out += margin;
    out += lines[i];
  }
  return text_like(self, std::move(out));
}

Value truncate(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [length, killwords, end, leeway] =
      bind(runtime, "truncate", args, {"length", "killwords", "end", "leeway"});
  const int64_t wanted = int_or(runtime, "truncate", length, 255);
  const std::string_view tail = end.is_missing() ? "..." : string_of(runtime, "truncate", end);
  const int64_t slack = int_or(runtime, "truncate", leeway, 5);
  const std::string_view text =
      self.is_undefined() ? std::string_view() : string_of(runtime, "truncate", self);
  const auto tail_length = static_cast<int64_t>(count_chars(tail));
  if (runtime.failed()) return Value();
  if (wanted < tail_length || slack < 0) {
    return runtime.fail("truncate: a length of at least {} and a leeway of at least 0",
                        tail_length);
  }
  const auto size = static_cast<int64_t>(count_chars(text));
  if (size <= wanted || size - wanted <= slack) return self;
  std::string_view kept =
      text.substr(0, char_offset(text, static_cast<size_t>(wanted - tail_length)));
  if (!bool_or(killwords, false)) kept = kept.substr(0, std::min(kept.rfind(' '), kept.size()));
  return text_like(self, std::string(kept) + std::string(tail));
}

Value center(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [width] = bind(runtime, "center", args, {"width"});
  const Value text = soft_text(runtime, self);
  const int64_t wanted = int_or(runtime, "center", width, 80);
  const int64_t missing = wanted - static_cast<int64_t>(count_chars(text.text()));
  if (missing <= 0) return text;
  if (!runtime.allow_string(static_cast<size_t>(missing))) return Value();
  const int64_t left = missing / 2 + (missing & wanted & 1);
  return text_like(text, std::string(static_cast<size_t>(left), ' ') + text.text() +
                             std::string(static_cast<size_t>(missing - left), ' '));
}

Value join(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [separator, attribute] = bind(runtime, "join", args, {"d", "attribute"});
  const std::string between = separator.is_missing() ? "" : to_text(runtime, separator);
  const AttributePath path(attribute);
  std::optional<Cursor> cursor = Cursor::over(runtime, self);
  std::string out;
  Value item;
  for (bool is_first = true; cursor && cursor->next(runtime, item); is_first = false) {
    if (!is_first) out += between;
    append_text(runtime, out, path.of(runtime, item));
    if (!runtime.allow_string(out.size())) break;
  }
  return Value::string(std::move(out));
}

Value escape(Runtime& runtime, const Value& self, Arguments& args) {
  expect_no_arguments(runtime, "escape", args);
  return self.is_markup() ? self : Value::markup(escape_html(to_text(runtime, self)));
}

Value force_escape(Runtime& runtime, const Value& self, Arguments& args) {
  expect_no_arguments(runtime, "forceescape", args);
  return Value::markup(escape_html(to_text(runtime, self)));
}

Value safe(Runtime& runtime, const Value& self, Arguments& args) {
  expect_no_arguments(runtime, "safe", args);
  return Value::markup(to_text(runtime, self));
}

Value string(Runtime& runtime, const Value& self, Arguments& args) {
  expect_no_arguments(runtime, "string", args);
  return soft_text(runtime, self);
}

Value format(Runtime& runtime, const Value& self, Arguments& args) {
  if (!args.positional.empty() && !args.named.empty()) {
    return runtime.fail("format cannot take positional and keyword arguments at once");
  }
  if (args.named.empty()) {
    return format_percent(runtime, soft_text(runtime, self),
                          runtime.make_tuple(std::move(args.positional)));
  }
  const Value values = runtime.make_dict();
  for (auto& [name, value] : args.named) {
    values.dict().entries.set(Value::string(name), std::move(value));
  }
  return format_percent(runtime, soft_text(runtime, self), values);
}

Value word_count(Runtime& runtime, const Value& self, Arguments& args) {
  expect_no_arguments(runtime, "wordcount", args);
  int64_t count = 0;
  bool in_word = false;
  for (const char32_t c : to_code_points(to_text(runtime, self))) {
    if (is_word(c) && !in_word) ++count;
    in_word = is_word(c);
  }
  return Value::integer(count);
}

/// Without tags and comments, and with runs of white space as one space.
Value strip_tags(Runtime& runtime, const Value& self, Arguments& args) {
  expect_no_arguments(runtime, "striptags", args);
  const std::string source = to_text(runtime, self);
  std::string text;
  for (size_t at = 0; at < source.size();) {
    const size_t open = std::min(source.find('<', at), source.size());
    const bool is_comment = source.compare(open, 4, "<!--") == 0;
    const size_t close = source.find(is_comment ? "-->" : ">", open);
    text += source.substr(at, open - at);
    if (open == source.size()) break;
    if (close == std::string::npos) {
      text += source.substr(open);
      break;
    }
    at = close + (is_comment ? 3 : 1);
  }
  std::string out;
  for (const std::string_view word : split_space(text, -1)) {
    if (!out.empty()) out += ' ';
    out += word;
  }
  return Value::string(std::move(out));
}

Value url_encode(Runtime& runtime, const Value& self, Arguments& args) {
  expect_no_arguments(runtime, "urlencode", args);
  const auto quote = [&runtime](const Value& value, std::string_view kept) {
    std::string out;
    for (const char c : to_text(runtime, value)) {
      const bool is_plain =
          (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      if (is_plain || kept.find(c) != std::string_view::npos) {
        out += c;
      } else {
        out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
      }
    }
    return out;
  };
  if (self.is_string() || !is_iterable(self)) return Value::string(quote(self, "_.-~/"));
  std::string out;
  Value pairs = self;
  if (self.is(Kind::kDict)) {
    auto* items = runtime.make<ViewObject>();
    items->dict = &self.dict();
    items->what = ViewObject::What::kItems;
    pairs = Value::object(Kind::kView, items);
  }
  for (const Value& item : to_items(runtime, pairs)) {
    const std::vector<Value> pair = to_items(runtime, item);
    if (pair.size() != 2) return runtime.fail("urlencode wants pairs of a key and a value");
    if (!out.empty()) out += '&';
    out += quote(pair[0], "_.-~ ") + "=" + quote(pair[1], "_.-~ ");
  }
  std::replace(out.begin(), out.end(), ' ', '+');
  return Value::string(std::move(out));
}

}  // namespace

std::span<const NamedNative> text_filters() {
  static constexpr NamedNative kTable[] = {
      {"capitalize", change_case<to_capitalized>},
      {"center", center},
      {"e", escape},
      {"escape", escape},
      {"forceescape", force_escape},
      {"format", format},
      {"indent", indent},
      {"join", join},
      {"lower", change_case<to_lower>},
      {"replace", replace},
      {"safe", safe},
      {"string", string},
      {"striptags", strip_tags},
      {"title", change_case<title_words>},
      {"trim", trim},
      {"truncate", truncate},
      {"upper", change_case<to_upper>},
      {"urlencode", url_encode},
      {"wordcount", word_count},
  };
  return kTable;
}

}  // namespace forge::text::jinja
