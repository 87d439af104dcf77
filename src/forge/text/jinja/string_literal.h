// Escapes in the string literals of templates.
#pragma once

#include <string>
#include <string_view>

#include "forge/base/result.h"

namespace forge::text::jinja {

/// The content of a literal (quotes removed) with Python's escapes resolved: \n \t \\ \' \" \a \b
/// \f \v \r, octal, \xhh, \uhhhh (surrogate pairs joined), \Uhhhhhhhh, and a backslash at a line's
/// end. An unknown escape stays as it is. \N{...} is refused, and so is half a surrogate pair,
/// which UTF-8 cannot hold.
[[nodiscard]] Result<std::string> unescape(std::string_view literal);

}  // namespace forge::text::jinja
