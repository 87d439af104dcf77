// Python's two ways of filling a template string.
#pragma once

#include <string_view>

#include "forge/text/jinja/runtime.h"
#include "forge/text/jinja/value.h"

namespace forge::text::jinja {

/// text % values: printf-style conversions s r a c d i u o x X e E f F g G and %%, with flags,
/// width and precision. values is a tuple, a dict for %(name)s, or a single value.
[[nodiscard]] Value format_percent(Runtime& runtime, const Value& text, const Value& values);

/// text.format(*args, **named): replacement fields with attribute and index access, !r and !s, and
/// format specifications for strings, integers and floats.
[[nodiscard]] Value format_braces(Runtime& runtime, const Value& text, const Arguments& args);

}  // namespace forge::text::jinja
