// Makes text from outside harmless for a terminal.
#pragma once

#include <string>
#include <string_view>

namespace forge::cli {

/// Passes text on, piece by piece, with every control character but line ends and tabs written out
/// ("\x1b", "\x9b"): C0, DEL and C1 (U+0080 to U+009F, which terminals obey as well). A carriage
/// return before a line end is left out. A piece is valid UTF-8 and ends with a whole character.
class ControlFilter {
 public:
  [[nodiscard]] std::string pass(std::string_view piece);
  /// What is held back at the end of the text.
  [[nodiscard]] std::string flush();

 private:
  bool has_return_ = false;  // a carriage return that may stand before a line end
};

/// A whole text at once.
[[nodiscard]] std::string harmless(std::string_view text);

}  // namespace forge::cli
