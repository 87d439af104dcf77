// Lines that a person types, put together to messages.
#pragma once

#include <string>
#include <string_view>

namespace forge::cli::chat {

/// What came in: a message for the model, or a line that may be a command.
struct Input {
  std::string text;
  bool is_literal = false;  // a block or several lines at once: never a command
};

/// A line is a message, but for:
///  - """ at its start: a block up to the next """ at the end of a line, on the same one or later;
///  - a backslash at its end: the next line belongs to it, with a line end between them.
/// A line with line ends in it (pasted) is one message, as it is.
class MessageInput {
 public:
  /// Takes a line without its end; true when take() has something.
  bool add(std::string_view line);
  /// The input ends: true where a message that had begun is complete with that.
  bool finish();
  /// A message has begun and goes on in the next line.
  [[nodiscard]] bool is_open() const { return state_ != State::kStart; }
  [[nodiscard]] Input take();
  /// Forgets what has begun.
  void reset();

 private:
  enum class State { kStart, kBlock, kContinued };
  bool add_to_block(std::string_view line);

  State state_ = State::kStart;
  Input input_;
};

}  // namespace forge::cli::chat
