// Where lines come from: a terminal with editing, or a pipe.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace forge::cli::chat {

enum class LineOutcome {
  kLine,
  kInterrupt,  // Ctrl-C; line has what was typed before it
  kEnd,        // of the input, or the program is to end
  kFailed,     // error() says why
};

/// One thread.
class LineSource {
 public:
  /// Most bytes of a line; a longer one fails.
  static constexpr size_t kMostBytes = size_t{16} << 20;

  virtual ~LineSource() = default;
  /// Reads the next line, without its end. is_continuation: the line goes on with a message that
  /// has begun.
  virtual LineOutcome read(bool is_continuation, std::string& line) = 0;
  /// Offers a message for the keys that go back.
  virtual void remember(const std::string& /*text*/) {}
  /// Takes what is typed while nobody waits for a line, for the next reads; never waits itself. How
  /// often the end is among it: Ctrl-D on an empty line.
  virtual int ends_ahead() { return 0; }
  /// From now until the next read() keys are the terminal's own again, which it shows as they are
  /// typed, and the program may end without warning.
  virtual void release_terminal() {}
  [[nodiscard]] const std::string& error() const { return error_; }

 protected:
  std::string error_;
};

inline constexpr std::string_view kPrompt = ">>> ";
inline constexpr std::string_view kContinuationPrompt = "... ";

/// Lines of stdin as they are. prompts: where a person types them (a terminal without editing),
/// prompts go to stdout.
[[nodiscard]] std::unique_ptr<LineSource> plain_lines(bool prompts);

/// Lines edited on the terminal: keys of Emacs, history, Tab for words (commands), and pasted lines
/// as one. Writes to stdout, or stderr where that is the terminal. From the first read() on keys
/// are not shown by the terminal itself; what is typed between two reads stands in the next line.
[[nodiscard]] std::unique_ptr<LineSource> edited_lines(bool to_stdout,
                                                       const std::vector<std::string>& history,
                                                       std::vector<std::string> words);

}  // namespace forge::cli::chat
