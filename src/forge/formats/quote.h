// Names that come from files, made fit for a one-line message.
#pragma once

#include <string>
#include <string_view>

namespace forge::formats {

/// The text in double quotes as JSON writes it: control characters escaped, invalid UTF-8 replaced,
/// anything longer than 96 bytes cut and marked with "...".
[[nodiscard]] std::string quote(std::string_view text);

}  // namespace forge::formats
