// Spawns the binary named by FORGE_BINARY; no reference, this is the tests' own tool.
#include "tests/cli/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>

namespace forge::cli {
namespace {

struct Pipe {
  int read_end = -1;
  int write_end = -1;
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
    read_end = ends[0];
    write_end = ends[1];
  }
  ~Pipe() {
    close_read();
    close_write();
  }
  void close_read() { close(read_end); }
  void close_write() { close(write_end); }
  static void close(int& end) {
    if (end >= 0) ::close(end);
    end = -1;
  }
};

/// Moves bytes between the test and the child until the child has closed both its outputs.
void exchange(Pipe& in, std::string_view input, Pipe& out, std::string& out_text, Pipe& err,
              std::string& err_text) {
  std::array<char, 65536> buffer;
  while (out.read_end >= 0 || err.read_end >= 0) {
    if (input.empty()) in.close_write();
    std::array<pollfd, 3> files = {
        {{in.write_end, POLLOUT, 0}, {out.read_end, POLLIN, 0}, {err.read_end, POLLIN, 0}}};
    if (::poll(files.data(), files.size(), -1) < 0 && errno != EINTR) std::abort();
    if (files[0].revents != 0) {
      const ssize_t n = ::write(in.write_end, input.data(), input.size());
      if (n < 0 && errno != EAGAIN) {
        in.close_write();  // the child does not want it
        input = {};
      } else if (n > 0) {
        input.remove_prefix(static_cast<size_t>(n));
      }
    }
    const auto drain = [&](const pollfd& file, Pipe& pipe, std::string& text) {
      if (file.revents == 0) return;
      const ssize_t n = ::read(pipe.read_end, buffer.data(), buffer.size());
      if (n <= 0) return pipe.close_read();
      text.append(buffer.data(), static_cast<size_t>(n));
    };
    drain(files[1], out, out_text);
    drain(files[2], err, err_text);
  }
}

Outcome spawn(const std::vector<std::string>& command, std::string_view input,
              const std::vector<Environment>& environment) {
  std::signal(SIGPIPE, SIG_IGN);
  Pipe in;
  Pipe out;
  Pipe err;
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(in.read_end, STDIN_FILENO);
    ::dup2(out.write_end, STDOUT_FILENO);
    ::dup2(err.write_end, STDERR_FILENO);
    std::signal(SIGPIPE, SIG_DFL);
    forget_environment();
    ::setenv("FORGE", FORGE_BINARY, 1);
    for (const Environment& entry : environment) {
      ::setenv(entry.name.c_str(), entry.value.c_str(), 1);
    }
    std::vector<char*> argv;
    for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  in.close_read();
  out.close_write();
  err.close_write();
  // Else a write of more than the pipe holds would wait for a child that waits for its own reader.
  ::fcntl(in.write_end, F_SETFL, O_NONBLOCK);
  Outcome outcome;
  exchange(in, input, out, outcome.out, err, outcome.err);
  int status = 0;
  struct rusage usage {};
  ::wait4(child, &status, 0, &usage);
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  outcome.peak_resident_bytes = int64_t{usage.ru_maxrss} * 1024;
  return outcome;
}

}  // namespace

std::vector<std::string> Outcome::err_lines() const {
  std::vector<std::string> lines;
  for (size_t at = 0; at < err.size();) {
    const size_t end = std::min(err.find('\n', at), err.size());
    lines.push_back(err.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

void forget_environment() {
  for (const char* name :
       {"FORGE_MODEL", "FORGE_PORT", "FORGE_DEVICE", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE",
        "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE",
        "TRANSFORMERS_OFFLINE", "HF_HUB_DOWNLOAD_TIMEOUT", "HF_HUB_ETAG_TIMEOUT", "CURL_CA_BUNDLE",
        "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"}) {
    ::unsetenv(name);
  }
  // Nobody makes this folder, and nobody answers there.
  ::setenv("HF_HOME", FORGE_BINARY ".no-models", 1);
  ::setenv("HF_ENDPOINT", "http://127.0.0.1:1", 1);
}

Outcome run_forge(const std::vector<std::string>& arguments, std::string_view input,
                  const std::vector<Environment>& environment) {
  std::vector<std::string> command = {FORGE_BINARY};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return spawn(command, input, environment);
}

Outcome run_program(const std::vector<std::string>& command, std::string_view input,
                    const std::vector<Environment>& environment) {
  return spawn(command, input, environment);
}

Outcome run_shell(const std::string& command) { return spawn({"/bin/sh", "-c", command}, "", {}); }

std::string stories_gguf() { return FORGE_SOURCE_DIR "/models/forge-stories.gguf"; }
std::string stories_folder() { return FORGE_SOURCE_DIR "/models/forge-stories"; }

std::string copy_stories_folder(const TemporaryFolder& folder) {
  const std::string copy = folder.path("forge-stories");
  std::filesystem::copy(stories_folder(), copy);
  return copy;
}

std::string endless_stories_folder(const TemporaryFolder& folder) {
  const std::string copy = copy_stories_folder(folder);
  std::string config = read_file(copy + "/config.json");
  const std::string limit = "\"max_position_embeddings\": 512";
  const size_t at = config.find(limit);
  EXPECT_NE(at, std::string::npos);
  if (at != std::string::npos) {
    config.replace(at, limit.size(), "\"max_position_embeddings\": 200000");
  }
  folder.write("forge-stories/config.json", config);
  return copy;
}

}  // namespace forge::cli
