// Spawns the binary named by FORGE_BINARY; no reference, this is the tests' own tool.
#include "tests/cli/running_program.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace forge::cli {
namespace {

[[noreturn]] void become(const std::string& command, const std::vector<std::string>& arguments,
                         const std::string& out, const std::string& err,
                         const std::vector<Environment>& environment) {
  const int out_file = ::open(out.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int err_file = ::open(err.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int no_input = ::open("/dev/null", O_RDONLY);
  ::dup2(no_input, STDIN_FILENO);
  ::dup2(out_file, STDOUT_FILENO);
  ::dup2(err_file, STDERR_FILENO);
  forget_environment();
  for (const Environment& entry : environment) {
    ::setenv(entry.name.c_str(), entry.value.c_str(), 1);
  }
  std::vector<char*> argv = {const_cast<char*>(FORGE_BINARY), const_cast<char*>(command.c_str())};
  for (const std::string& word : arguments) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

}  // namespace

RunningProgram::RunningProgram(const std::string& command,
                               const std::vector<std::string>& arguments,
                               const std::vector<Environment>& environment) {
  const std::string err_file = folder_.write("err", "");
  const std::string out_file = folder_.write("out", "");
  process_ = ::fork();
  if (process_ == 0) become(command, arguments, out_file, err_file, environment);
}

RunningProgram::~RunningProgram() {
  if (exit_code_) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
}

void RunningProgram::signal(int number) const {
  if (!exit_code_) ::kill(process_, number);
}

std::optional<int> RunningProgram::wait(std::chrono::milliseconds within) {
  const auto end = std::chrono::steady_clock::now() + within;
  while (!exit_code_) {
    int status = 0;
    if (::waitpid(process_, &status, WNOHANG) == process_) {
      exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      break;
    }
    if (std::chrono::steady_clock::now() >= end) break;
    ::usleep(500);
  }
  return exit_code_;
}

}  // namespace forge::cli
