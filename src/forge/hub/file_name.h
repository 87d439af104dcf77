// Names of files that a server lists, before they become paths here.
#pragma once

#include <string>
#include <string_view>

#include "forge/base/result.h"

namespace forge::hub {

/// Fails where a name from the Hub is not a plain path below a folder: absolute, with "..", empty
/// parts, backslashes or control characters, too long or too deep, or not UTF-8.
[[nodiscard]] Status check_file_name(std::string_view name);

/// The text as part of a URL's path: everything but letters, digits and "-._~" as %XX, and '/' too
/// unless it is kept.
enum class Slashes { kKept, kEncoded };
[[nodiscard]] std::string url_encode(std::string_view text, Slashes slashes);

}  // namespace forge::hub
