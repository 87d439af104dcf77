// One conversion of a format string: the value's digits or text, padded.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "forge/text/jinja/runtime.h"
#include "forge/text/jinja/value.h"

namespace forge::text::jinja {

/// [[fill]align][sign][#][0][width][grouping][.precision][type], after Python's "Format
/// Specification Mini-Language"; the printf-style conversions are mapped to it.
struct FormatSpec {
  char32_t fill = ' ';
  char align = 0;  // < > ^ =, or 0: by the value's type
  char sign = '-';
  bool is_alternate = false;
  char grouping = 0;  // , or _
  size_t width = 0;   // in characters
  std::optional<int> precision;
  char type = 0;
};

/// Widths and precisions above this are refused.
inline constexpr size_t kMaxFormatWidth = 10'000;

/// Reads a specification; nothing (and failed) where it is malformed.
[[nodiscard]] std::optional<FormatSpec> parse_format_spec(Runtime& runtime, std::string_view text);

/// The formatted value, in UTF-8. Fails where the type does not fit the value.
[[nodiscard]] std::string format_value(Runtime& runtime, const Value& value,
                                       const FormatSpec& spec);

}  // namespace forge::text::jinja
