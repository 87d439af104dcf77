// Prints an answer as it comes: thoughts apart from what is said, nothing that drives the terminal.
#pragma once

#include <string_view>

#include "forge/cli/control_filter.h"
#include "forge/cli/stdout_stream.h"

namespace forge::cli::chat {

struct PrintStyle {
  bool is_terminal = false;    // control characters are written out
  bool has_color = false;      // thoughts are dimmed; else they stand between marks
  bool shows_thoughts = true;  // else they are left out
};

/// One per answer. Inserts no line ends: where a line is too long the terminal wraps it, so that
/// what is copied from there is what the model wrote.
class AnswerPrinter {
 public:
  AnswerPrinter(StdoutStream& out, const PrintStyle& style) : out_(out), style_(style) {}

  void thoughts(std::string_view text);
  void content(std::string_view text);
  /// Ends the answer: colours are put back, and the last line has its end.
  void finish();
  /// Thoughts came and were left out.
  [[nodiscard]] bool has_hidden() const { return has_hidden_; }

 private:
  void write(std::string_view text);
  void end_line();
  void end_thoughts();

  StdoutStream& out_;
  PrintStyle style_;
  ControlFilter filter_;
  bool is_thinking_ = false;
  bool has_hidden_ = false;
  bool at_line_start_ = true;
};

}  // namespace forge::cli::chat
