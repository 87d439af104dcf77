#include "forge/cli/chat/answer_printer.h"

#include <string>

#include "forge/cli/terminal.h"

namespace forge::cli::chat {
namespace {

// ECMA-48, 8.3.117 (SGR): 2 is faint, 0 puts everything back.
constexpr std::string_view kFaint = "\x1b[2m";
constexpr std::string_view kPlain = "\x1b[0m";

}  // namespace

void AnswerPrinter::write(std::string_view text) {
  const std::string shown = style_.is_terminal ? filter_.pass(text) : std::string(text);
  if (!shown.empty()) at_line_start_ = shown.back() == '\n';
  show(shown);
}

void AnswerPrinter::show(std::string_view text) {
  out_.write(style_.wraps ? wrap_.pass(text, output_columns()) : std::string(text));
}

void AnswerPrinter::end_line() {
  if (style_.is_terminal) {
    const std::string held = filter_.flush();
    if (!held.empty()) at_line_start_ = false;
    show(held);
  }
  if (!at_line_start_) out_.write("\n");
  at_line_start_ = true;
  wrap_ = {};
}

void AnswerPrinter::thoughts(std::string_view text) {
  if (text.empty()) return;
  if (!style_.shows_thoughts) {
    has_hidden_ = true;
    return;
  }
  if (!is_thinking_) out_.write(style_.has_color ? kFaint : "[thinking]\n");
  is_thinking_ = true;
  write(text);
  out_.flush();
}

void AnswerPrinter::end_thoughts() {
  if (!is_thinking_) return;
  is_thinking_ = false;
  end_line();
  out_.write(style_.has_color ? kPlain : "[/thinking]\n");
}

void AnswerPrinter::content(std::string_view text) {
  if (text.empty()) return;
  if (is_thinking_) {
    end_thoughts();
    out_.write("\n");
  }
  write(text);
  out_.flush();
}

void AnswerPrinter::finish() {
  end_thoughts();
  end_line();
  out_.flush();
}

}  // namespace forge::cli::chat
