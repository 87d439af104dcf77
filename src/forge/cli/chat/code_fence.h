// Which lines of a Markdown text are code.
#pragma once

#include <cstddef>

namespace forge::cli::chat {

/// Follows the fences of CommonMark (4.5), character by character: a line of three or more ` or ~,
/// with a language behind it, begins code, and one of as many without anything ends it.
class CodeFence {
 public:
  /// The next character of a line.
  void add(char32_t c);
  /// The line has ended.
  void end_line();
  /// The line that has begun is inside of a fence, or the one that ends it.
  [[nodiscard]] bool is_code() const { return is_open_; }

 private:
  struct Fence {
    char32_t mark = 0;  // '`' or '~'
    size_t length = 0;
  };
  Fence line_;  // what the line begins with
  Fence open_;
  bool is_open_ = false;
  bool is_in_mark_ = true;  // nothing but blanks and marks so far
  bool has_text_ = false;   // behind the marks
  bool has_tick_ = false;   // among the text
};

}  // namespace forge::cli::chat
