#include "forge/cli/chat/message_input.h"

#include <algorithm>
#include <utility>

namespace forge::cli::chat {
namespace {

constexpr std::string_view kQuotes = "\"\"\"";

std::string_view without_trailing_blanks(std::string_view text) {
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

}  // namespace

bool MessageInput::add_to_block(std::string_view line) {
  const std::string_view trimmed = without_trailing_blanks(line);
  if (!trimmed.ends_with(kQuotes)) {
    input_.text += line;
    input_.text += '\n';
    return false;
  }
  input_.text += trimmed.substr(0, trimmed.size() - kQuotes.size());
  if (input_.text.ends_with('\n')) input_.text.pop_back();
  state_ = State::kStart;
  return true;
}

bool MessageInput::add(std::string_view line) {
  if (state_ == State::kBlock) return add_to_block(line);
  if (state_ == State::kStart) {
    input_ = {};
    const std::string_view start =
        line.substr(std::min(line.find_first_not_of(" \t"), line.size()));
    if (start.starts_with(kQuotes)) {
      state_ = State::kBlock;
      input_.is_literal = true;
      const std::string_view rest = start.substr(kQuotes.size());
      return !rest.empty() && add_to_block(rest);
    }
  }
  if (line.find('\n') != line.npos) input_.is_literal = true;
  if (line.ends_with('\\')) {
    input_.text += line.substr(0, line.size() - 1);
    input_.text += '\n';
    input_.is_literal = true;
    state_ = State::kContinued;
    return false;
  }
  input_.text += line;
  state_ = State::kStart;
  return true;
}

bool MessageInput::finish() {
  if (state_ == State::kStart) return false;
  if (input_.text.ends_with('\n')) input_.text.pop_back();
  state_ = State::kStart;
  return true;
}

Input MessageInput::take() { return std::exchange(input_, {}); }

void MessageInput::reset() {
  state_ = State::kStart;
  input_ = {};
}

}  // namespace forge::cli::chat
