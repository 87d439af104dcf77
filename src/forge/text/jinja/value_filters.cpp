// Filters on numbers and single values.
#include <cmath>
#include <cstdlib>

#include "forge/text/jinja/access.h"
#include "forge/text/jinja/filters.h"
#include "forge/text/jinja/json_text.h"
#include "forge/text/jinja/operators.h"
#include "forge/text/jinja/python_text.h"
#include "forge/text/jinja/text_form.h"

namespace forge::text::jinja {

namespace {

Value absolute(Runtime& runtime, const Value& self, Arguments& args) {
  expect_no_arguments(runtime, "abs", args);
  if (self.is(Kind::kFloat)) return Value::real(std::abs(self.as_float()));
  if (!self.is_integral()) {
    if (self.is_undefined()) return runtime.fail_undefined(self);
    return runtime.fail("abs wants a number, not {}", type_name(self));
  }
  return self.as_int() < 0 ? negate(runtime, self) : Value::integer(self.as_int());
}

/// The whole part of a number, where it fits.
std::optional<int64_t> whole_part(double number) {
  if (!(std::abs(number) < 0x1p63)) return std::nullopt;
  return static_cast<int64_t>(number);
}

Value to_int(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [fallback, base] = bind(runtime, "int", args, {"default", "base"});
  const int64_t radix = int_or(runtime, "int", base, 10);
  if (radix != 0 && (radix < 2 || radix > 36)) return runtime.fail("int: a base of 2 to 36, or 0");
  if (self.is_integral()) return Value::integer(self.as_int());
  if (self.is_undefined()) return runtime.fail_undefined(self);
  std::optional<int64_t> whole;
  if (self.is(Kind::kFloat)) {
    whole = whole_part(self.as_float());
  } else if (self.is_string()) {
    whole = parse_int(self.text(), static_cast<int>(radix));
    if (!whole) {  // "42.23" gives 42
      if (const auto real = parse_float(self.text())) whole = whole_part(*real);
    }
  }
  if (whole) return Value::integer(*whole);
  return fallback.is_missing() ? Value::integer(0) : fallback;
}

Value to_float(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [fallback] = bind(runtime, "float", args, {"default"});
  if (self.is_number()) return Value::real(self.to_double());
  if (self.is_undefined()) return runtime.fail_undefined(self);
  if (self.is_string()) {
    if (const auto real = parse_float(self.text())) return Value::real(*real);
  }
  return fallback.is_missing() ? Value::real(0.0) : fallback;
}

/// Correctly rounded to so many decimal places, ties to even, as Python's round().
double round_places(double number, int64_t places) {
  if (!std::isfinite(number)) return number;
  if (places >= 0) {
    const std::string digits = fmt::format("{:.{}f}", number, places);
    return std::strtod(digits.c_str(), nullptr);
  }
  const double scale = std::pow(10.0, static_cast<double>(-places));
  return std::isfinite(scale) ? std::nearbyint(number / scale) * scale : 0.0;
}

Value round_number(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [precision, method] = bind(runtime, "round", args, {"precision", "method"});
  const int64_t places = int_or(runtime, "round", precision, 0);
  const std::string_view how = method.is_missing() ? "common" : string_of(runtime, "round", method);
  if (how != "common" && how != "ceil" && how != "floor") {
    return runtime.fail("round: the method must be common, ceil or floor");
  }
  if (self.is_undefined()) return runtime.fail_undefined(self);
  if (!self.is_number()) return runtime.fail("round wants a number, not {}", type_name(self));
  if (places > 300 || places < -300) return runtime.fail("round: a precision beyond 300");
  if (how == "common") {
    if (self.is_integral() && places >= 0) return Value::integer(self.as_int());
    if (self.is_integral()) {
      const auto whole = whole_part(round_places(self.to_double(), places));
      return whole ? Value::integer(*whole)
                   : runtime.fail("round: the result does not fit 64 bits");
    }
    return Value::real(round_places(self.as_float(), places));
  }
  const double scale = std::pow(10.0, static_cast<double>(places));
  const double scaled = self.to_double() * scale;
  return Value::real((how == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / scale);
}

Value default_value(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [fallback, boolean] = bind(runtime, "default", args, {"default_value", "boolean"});
  const bool is_wanted = self.is_undefined() || (bool_or(boolean, false) && !truth(self));
  if (!is_wanted) return self;
  return fallback.is_missing() ? Value::string("") : fallback;
}

Value attribute(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [name] = bind(runtime, "attr", args, {"name"});
  const std::string_view wanted = string_of(runtime, "attr", name);
  if (runtime.failed()) return Value();
  // Items of a dict are not attributes: what is found there and nowhere else does not count.
  if (self.is(Kind::kDict)) {
    const Value empty = runtime.make_dict();
    const Value found = get_attribute(runtime, empty, wanted);
    if (found.is_undefined()) return found;
  }
  return get_attribute(runtime, self, wanted);
}

Value to_json_filter(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [ensure_ascii, indent, separators, sort_keys] =
      bind(runtime, "tojson", args, {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonStyle style;
  style.ensure_ascii = bool_or(ensure_ascii, false);
  style.sort_keys = bool_or(sort_keys, false);
  if (indent.is_string()) {
    style.indent = indent.text();
  } else if (!indent.is_missing() && !indent.is_none()) {
    const int64_t width = int_or(runtime, "tojson", indent, 0);
    if (width > 1000) return runtime.fail("tojson: an indent of more than 1000");
    style.indent = std::string(static_cast<size_t>(std::max<int64_t>(width, 0)), ' ');
  }
  if (style.indent) style.item_separator = ",";
  if (!separators.is_missing() && !separators.is_none()) {
    if (!separators.is_sequence() || separators.sequence().items.size() != 2) {
      return runtime.fail("tojson: separators are a pair of strings");
    }
    style.item_separator = string_of(runtime, "tojson", separators.sequence().items[0]);
    style.key_separator = string_of(runtime, "tojson", separators.sequence().items[1]);
  }
  if (runtime.failed()) return Value();
  return Value::string(to_json(runtime, self, style));
}

Value file_size(Runtime& runtime, const Value& self, Arguments& args) {
  const auto [binary] = bind(runtime, "filesizeformat", args, {"binary"});
  const bool is_binary = bool_or(binary, false);
  std::optional<double> bytes;
  if (self.is_number()) bytes = self.to_double();
  if (self.is_string()) bytes = parse_float(self.text());
  if (!bytes || !std::isfinite(*bytes)) {
    return runtime.fail("filesizeformat wants a number, not {}", type_name(self));
  }
  if (*bytes == 1) return Value::string("1 Byte");
  const double base = is_binary ? 1024 : 1000;
  if (*bytes < base) return Value::string(fmt::format("{} Bytes", std::trunc(*bytes)));
  constexpr std::string_view kPrefixes = "kMGTPEZY";
  double unit = base;
  size_t prefix = 0;
  while (prefix + 1 < kPrefixes.size() && *bytes >= unit * base) {
    unit *= base;
    ++prefix;
  }
  const std::string letter(1, is_binary && prefix == 0 ? 'K' : kPrefixes[prefix]);
  return Value::string(fmt::format("{:.1f} {}{}", *bytes / unit, letter, is_binary ? "iB" : "B"));
}

}  // namespace

std::span<const NamedNative> value_filters() {
  static constexpr NamedNative kTable[] = {
      {"abs", absolute},
      {"attr", attribute},
      {"d", default_value},
      {"default", default_value},
      {"filesizeformat", file_size},
      {"float", to_float},
      {"int", to_int},
      {"round", round_number},
      {"tojson", to_json_filter},
  };
  return kTable;
}

}  // namespace forge::text::jinja
