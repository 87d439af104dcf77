#include "forge/cli/chat/code_fence.h"

namespace forge::cli::chat {

void CodeFence::add(char32_t c) {
  const bool is_blank = c == ' ' || c == '\t';
  if (is_in_mark_) {
    if (line_.length == 0 && is_blank) return;
    const bool is_first = line_.length == 0 && (c == '`' || c == '~');
    if (is_first) line_.mark = c;
    if (is_first || (line_.length > 0 && c == line_.mark)) {
      ++line_.length;
      return;
    }
    is_in_mark_ = false;
  }
  has_text_ = has_text_ || !is_blank;
  has_tick_ = has_tick_ || c == '`';
}

void CodeFence::end_line() {
  constexpr size_t kLeast = 3;
  if (!is_open_) {
    // Three of them around a word in a line are no fence.
    is_open_ = line_.length >= kLeast && !(line_.mark == '`' && has_tick_);
    if (is_open_) open_ = line_;
  } else if (line_.mark == open_.mark && line_.length >= open_.length && !has_text_) {
    is_open_ = false;
  }
  line_ = {};
  is_in_mark_ = true;
  has_text_ = false;
  has_tick_ = false;
}

}  // namespace forge::cli::chat
