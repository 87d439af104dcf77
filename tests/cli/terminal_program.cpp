// Spawns the binary named by FORGE_BINARY; no reference, this is the tests' own tool.
#include "tests/cli/terminal_program.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>

#include "tests/eventually.h"

namespace forge::cli {

TerminalProgram::TerminalProgram(const std::vector<std::string>& arguments,
                                 const std::vector<Environment>& environment, int n_columns) {
  struct winsize size {};
  size.ws_row = 24;
  size.ws_col = static_cast<unsigned short>(n_columns);
  process_ = ::forkpty(&terminal_, nullptr, nullptr, &size);
  if (process_ != 0) return;
  forget_environment();
  ::unsetenv("NO_COLOR");
  ::setenv("TERM", "xterm", 1);
  for (const Environment& entry : environment) {
    ::setenv(entry.name.c_str(), entry.value.c_str(), 1);
  }
  std::vector<char*> argv = {const_cast<char*>(FORGE_BINARY)};
  for (const std::string& word : arguments) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

TerminalProgram::~TerminalProgram() {
  if (!exit_code_) {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  ::close(terminal_);
}

void TerminalProgram::type(std::string_view keys) const {
  while (!keys.empty()) {
    const ssize_t n = ::write(terminal_, keys.data(), keys.size());
    if (n <= 0) return;
    keys.remove_prefix(static_cast<size_t>(n));
  }
}

void TerminalProgram::signal(int number) const { ::kill(process_, number); }

void TerminalProgram::set_shell_modes() const {
  termios modes{};
  ASSERT_EQ(::tcgetattr(terminal_, &modes), 0);
  modes.c_lflag |= ICANON | ECHO | ISIG;
  ASSERT_EQ(::tcsetattr(terminal_, TCSANOW, &modes), 0);
}

bool TerminalProgram::read_more() {
  pollfd file{terminal_, POLLIN, 0};
  const int patience_ms =
      static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(kPatience).count());
  if (::poll(&file, 1, patience_ms) <= 0) return false;
  std::array<char, 4096> buffer;
  const ssize_t n = ::read(terminal_, buffer.data(), buffer.size());
  if (n <= 0) return false;  // EIO: the program has ended
  screen_.append(buffer.data(), static_cast<size_t>(n));
  return true;
}

bool TerminalProgram::see(std::string_view text) {
  while (true) {
    const size_t found = screen_.find(text, seen_);
    if (found != std::string::npos) {
      seen_ = found + text.size();
      return true;
    }
    if (!read_more()) {
      ADD_FAILURE() << "not seen: " << text << "\nin: " << screen_.substr(seen_);
      return false;
    }
  }
}

int TerminalProgram::wait() {
  while (read_more()) {
  }
  int status = 0;
  pid_t ended = 0;
  if (!exit_code_ && !eventually([&] {
        ended = ::waitpid(process_, &status, WNOHANG);
        return ended != 0;
      })) {
    ADD_FAILURE() << "it runs on: " << screen_.substr(seen_);
    return -1;
  }
  if (ended == process_) {
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return exit_code_.value_or(-1);
}

}  // namespace forge::cli
