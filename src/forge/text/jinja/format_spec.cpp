#include "forge/text/jinja/format_spec.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "forge/base/utf8.h"
#include "forge/text/jinja/python_text.h"
#include "forge/text/jinja/text_form.h"

namespace forge::text::jinja {

namespace {

bool is_align(char32_t c) { return c == '<' || c == '>' || c == '^' || c == '='; }

/// Reads digits at text[at]; nothing where the number is above kMaxFormatWidth.
std::optional<size_t> read_number(std::string_view text, size_t& at) {
  size_t number = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    number = number * 10 + static_cast<size_t>(text[at] - '0');
    if (number > kMaxFormatWidth) return std::nullopt;
  }
  return number;
}

/// Puts a separator between every group_size digits before the point.
std::string group_digits(const std::string& digits, char separator, size_t group_size) {
  const size_t end = std::min(digits.find_first_not_of("0123456789abcdefABCDEF"), digits.size());
  std::string out;
  for (size_t i = 0; i < end; ++i) {
    if (i > 0 && (end - i) % group_size == 0) out += separator;
    out += digits[i];
  }
  return out + digits.substr(end);
}

std::string pad(std::string_view prefix, std::string body, const FormatSpec& spec, char align) {
  const size_t length = count_chars(prefix) + count_chars(body);
  const size_t missing = spec.width > length ? spec.width - length : 0;
  const size_t left = align == '<' ? 0 : align == '^' ? missing / 2 : missing;
  std::string fill;
  std::string out;
  append_utf8(fill, spec.fill);
  if (align == '=') out += prefix;
  for (size_t i = 0; i < left; ++i) out += fill;
  if (align != '=') out += prefix;
  out += body;
  for (size_t i = left; i < missing; ++i) out += fill;
  return out;
}

std::string sign_of(bool is_negative, char sign) {
  if (is_negative) return "-";
  return sign == '-' ? "" : std::string(1, sign);
}

/// Digits of a magnitude in a base, with the prefix that '#' asks for.
std::string integer_digits(uint64_t magnitude, char type, bool is_alternate) {
  switch (type) {
    case 'x':
      return (is_alternate ? "0x" : "") + fmt::format("{:x}", magnitude);
    case 'X':
      return (is_alternate ? "0X" : "") + fmt::format("{:X}", magnitude);
    case 'o':
      return (is_alternate ? "0o" : "") + fmt::format("{:o}", magnitude);
    case 'b':
      return (is_alternate ? "0b" : "") + fmt::format("{:b}", magnitude);
    default:
      return std::to_string(magnitude);
  }
}

std::string float_digits(double magnitude, const FormatSpec& spec) {
  if (spec.type == 0 && !spec.precision) return float_text(magnitude);
  const int precision = spec.precision.value_or(6);
  switch (spec.type) {
    case 'e':
      return fmt::format("{:.{}e}", magnitude, precision);
    case 'E':
      return fmt::format("{:.{}E}", magnitude, precision);
    case 'f':
    case 'F':
      return fmt::format("{:.{}f}", magnitude, precision);
    case '%':
      return fmt::format("{:.{}f}%", magnitude * 100, precision);
    case 'G':
      return fmt::format("{:.{}G}", magnitude, precision);
    case 'g':
      return fmt::format("{:.{}g}", magnitude, precision);
    default: {  // like 'g', but with at least one digit after the point
      std::string digits = fmt::format("{:.{}g}", magnitude, precision);
      if (digits.find_first_of(".en") == std::string::npos) digits += ".0";
      return digits;
    }
  }
}

}  // namespace

std::optional<FormatSpec> parse_format_spec(Runtime& runtime, std::string_view text) {
  FormatSpec spec;
  size_t at = 0;
  if (!text.empty()) {
    const Utf8Char first = decode_utf8(text, 0);
    const auto length = static_cast<size_t>(first.length);
    if (length < text.size() && is_align(static_cast<unsigned char>(text[length]))) {
      spec.fill = first.code_point;
      spec.align = text[length];
      at = length + 1;
    } else if (is_align(first.code_point)) {
      spec.align = text[0];
      at = 1;
    }
  }
  const auto accept = [&](std::string_view set) {
    if (at >= text.size() || set.find(text[at]) == std::string_view::npos) return char{0};
    return text[at++];
  };
  if (const char sign = accept("+- ")) spec.sign = sign;
  spec.is_alternate = accept("#") != 0;
  if (accept("0") != 0 && spec.align == 0) {
    spec.fill = '0';
    spec.align = '=';
  }
  const std::optional<size_t> width = read_number(text, at);
  spec.width = width.value_or(0);
  spec.grouping = accept(",_");
  bool is_valid = width.has_value();
  if (accept(".") != 0) {
    const size_t start = at;
    const std::optional<size_t> precision = read_number(text, at);
    is_valid = is_valid && precision && at > start;
    spec.precision = static_cast<int>(precision.value_or(0));
  }
  if (at < text.size()) spec.type = text[at++];
  if (!is_valid || at != text.size()) {
    runtime.fail("invalid format specification '{}'", text);
    return std::nullopt;
  }
  return spec;
}

std::string format_value(Runtime& runtime, const Value& value, const FormatSpec& spec) {
  const auto refuse = [&] {
    runtime.fail("format code '{}' does not fit a value of type {}", spec.type, type_name(value));
    return std::string();
  };
  constexpr std::string_view kFloatTypes = "eEfFgG%";
  const bool is_float_type = spec.type != 0 && kFloatTypes.find(spec.type) != std::string::npos;
  if (value.is(Kind::kFloat) || (value.is_integral() && is_float_type)) {
    if (spec.type != 0 && !is_float_type) return refuse();
    const double number = value.to_double();
    std::string digits = float_digits(std::abs(number), spec);
    if (spec.grouping != 0) digits = group_digits(digits, spec.grouping, 3);
    return pad(sign_of(std::signbit(number), spec.sign), std::move(digits), spec,
               spec.align == 0 ? '>' : spec.align);
  }
  if (value.is(Kind::kInt) || (value.is(Kind::kBool) && spec.type != 0 && spec.type != 's')) {
    constexpr std::string_view kIntTypes = "dioxXbnu";
    if (spec.type != 0 && kIntTypes.find(spec.type) == std::string::npos) return refuse();
    const int64_t number = value.as_int();
    const uint64_t magnitude =
        number < 0 ? 0 - static_cast<uint64_t>(number) : static_cast<uint64_t>(number);
    std::string digits = integer_digits(magnitude, spec.type, spec.is_alternate);
    const bool is_decimal = spec.type == 0 || spec.type == 'd';
    if (spec.grouping != 0) digits = group_digits(digits, spec.grouping, is_decimal ? 3 : 4);
    return pad(sign_of(number < 0, spec.sign), std::move(digits), spec,
               spec.align == 0 ? '>' : spec.align);
  }
  if ((spec.type != 0 && spec.type != 's') || spec.align == '=') return refuse();
  std::string text = to_text(runtime, value);
  if (spec.precision) text.resize(char_offset(text, static_cast<size_t>(*spec.precision)));
  return pad("", std::move(text), spec, spec.align == 0 ? '<' : spec.align);
}

}  // namespace forge::text::jinja
