// The forge binary on a terminal of its own (a pty): what is typed, and what is seen.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/cli/program.h"

namespace forge::cli {

/// A running forge whose stdin, stdout and stderr are one terminal. TERM is "xterm", NO_COLOR is
/// unset, unless given.
class TerminalProgram {
 public:
  explicit TerminalProgram(const std::vector<std::string>& arguments,
                           const std::vector<Environment>& environment = {}, int n_columns = 80);
  /// Kills it if it still runs.
  ~TerminalProgram();
  TerminalProgram(const TerminalProgram&) = delete;
  TerminalProgram& operator=(const TerminalProgram&) = delete;

  void type(std::string_view keys) const;
  void signal(int number) const;
  /// Puts the terminal's modes as a shell has them, which takes it while the program is stopped.
  void set_shell_modes() const;
  /// Reads until the text has come that is looked for, behind what was found before; false, with
  /// everything seen in a failure, where it does not come.
  [[nodiscard]] bool see(std::string_view text);
  /// Reads to the end; the exit code (128 + signal where one ended it).
  [[nodiscard]] int wait();
  /// All that came so far, escape sequences included.
  [[nodiscard]] const std::string& screen() const { return screen_; }

 private:
  [[nodiscard]] bool read_more();

  int terminal_ = -1;
  pid_t process_ = 0;
  std::string screen_;
  size_t seen_ = 0;
  std::optional<int> exit_code_;
};

}  // namespace forge::cli
