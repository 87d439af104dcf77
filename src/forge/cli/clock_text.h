// A time that is left, as people read it.
#pragma once

#include <string>

namespace forge::cli {

/// "2:05", "1:02:05".
[[nodiscard]] std::string clock_text(double seconds);

}  // namespace forge::cli
