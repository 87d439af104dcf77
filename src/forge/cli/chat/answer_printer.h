// Prints an answer as it comes: thoughts apart from what is said, nothing that drives the terminal.
#pragma once

#include <string_view>

#include "forge/cli/chat/word_wrap.h"
#include "forge/cli/control_filter.h"
#include "forge/cli/stdout_stream.h"

namespace forge::cli::chat {

struct PrintStyle {
  bool is_terminal = false;    // control characters are written out
  bool has_color = false;      // thoughts are dimmed; else they stand between marks
  bool wraps = false;          // lines end between words at the terminal's edge
  bool shows_thoughts = true;  // else they are left out
};

/// One per answer, which begins at the start of a line.
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
  void show(std::string_view text);
  void end_line();
  void end_thoughts();

  StdoutStream& out_;
  PrintStyle style_;
  ControlFilter filter_;
  WordWrap wrap_;  // of the thoughts, then of what is said
  bool is_thinking_ = false;
  bool has_hidden_ = false;
  bool at_line_start_ = true;
};

}  // namespace forge::cli::chat
