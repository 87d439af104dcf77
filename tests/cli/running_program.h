// The forge binary in the background: to look at while it runs, and to signal.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "tests/cli/program.h"

namespace forge::cli {

/// A running forge. Its stdout and stderr go to files, so that it never waits for a reader; its
/// stdin is empty.
class RunningProgram {
 public:
  /// Runs `forge command arguments` in the environment of forget_environment(), with what is given.
  RunningProgram(const std::string& command, const std::vector<std::string>& arguments,
                 const std::vector<Environment>& environment = {});
  /// Kills it if it still runs.
  ~RunningProgram();
  RunningProgram(const RunningProgram&) = delete;
  RunningProgram& operator=(const RunningProgram&) = delete;

  [[nodiscard]] std::string out() const { return read_file(folder_.path("out")); }
  [[nodiscard]] std::string err() const { return read_file(folder_.path("err")); }

  void signal(int number) const;
  /// The exit code (128 + signal where one ended it); nothing where it runs on for so long.
  [[nodiscard]] std::optional<int> wait(std::chrono::milliseconds within);
  [[nodiscard]] bool has_ended() { return wait(std::chrono::milliseconds(0)).has_value(); }

 private:
  TemporaryFolder folder_;
  pid_t process_ = 0;
  std::optional<int> exit_code_;
};

}  // namespace forge::cli
