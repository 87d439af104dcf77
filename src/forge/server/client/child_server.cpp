#include "forge/server/client/child_server.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>

namespace forge::server::client {
namespace {

/// Lines of a pipe, until all its writers are gone.
class PipeLines {
 public:
  explicit PipeLines(int file) : file_(file) {}

  std::optional<std::string> next() {
    while (true) {
      if (const size_t end = buffer_.find('\n'); end != std::string::npos) {
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        return line;
      }
      std::array<char, 4096> bytes;
      const ssize_t n = ::read(file_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return std::nullopt;
      buffer_.append(bytes.data(), static_cast<size_t>(n));
    }
  }

 private:
  int file_;
  std::string buffer_;
};

Result<pid_t> spawn(const std::vector<std::string>& command, int stderr_end) {
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, stderr_end, STDERR_FILENO);
  // stdout is the measurement's own.
  posix_spawn_file_actions_adddup2(&actions, stderr_end, STDOUT_FILENO);
  // In our process group: Ctrl-C twice, which ends this process at once, ends the server too.
  pid_t process = 0;
  const int error = ::posix_spawn(&process, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return make_error("cannot start {}: {}", command[0], std::strerror(error));
  return process;
}

}  // namespace

Result<std::unique_ptr<ChildServer>> ChildServer::start(
    const std::vector<std::string>& command, std::function<void(std::string_view)> on_line) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return make_error("pipe: {}", std::strerror(errno));
  const Result<pid_t> process = spawn(command, ends[1]);
  ::close(ends[1]);
  if (!process.ok()) {
    ::close(ends[0]);
    return process.error();
  }
  std::unique_ptr<ChildServer> server(new ChildServer(*process, ends[0]));
  PipeLines lines(ends[0]);
  std::string last = "no message";
  while (const auto line = lines.next()) {
    constexpr std::string_view kMark = "listening on ";
    if (const size_t at = line->find(kMark); at != std::string::npos) {
      server->url_ = line->substr(at + kMark.size());
      server->url_.erase(std::min(server->url_.find(' '), server->url_.size()));
      break;
    }
    last = *line;
    on_line(*line);
  }
  if (server->url_.empty()) return make_error("the server ended before it listened: {}", last);
  // What it writes must be read, or it would wait for room in the pipe.
  server->reader_ = std::thread([rest = std::move(lines), on_line = std::move(on_line)]() mutable {
    while (const auto line = rest.next()) on_line(*line);
  });
  return server;
}

ChildServer::~ChildServer() {
  constexpr auto kGrace = std::chrono::seconds(10);
  constexpr auto kPoll = std::chrono::milliseconds(10);
  ::kill(process_, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + kGrace;
  while (::waitpid(process_, nullptr, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() >= deadline) {
      ::kill(process_, SIGKILL);
      ::waitpid(process_, nullptr, 0);
      break;
    }
    std::this_thread::sleep_for(kPoll);
  }
  if (reader_.joinable()) reader_.join();
  ::close(stderr_end_);
}

}  // namespace forge::server::client
