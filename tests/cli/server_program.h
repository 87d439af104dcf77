// forge serve as a child process, the way an operator runs it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/json.h"
#include "tests/cli/program.h"
#include "tests/server/test_client.h"

namespace forge::cli {

using server::http::Answer;
using server::http::TestClient;

/// A running server. Its stdout and stderr go to files, so that it never waits for a reader.
class ServerProgram {
 public:
  /// Runs forge serve with these arguments and waits until it listens, or has ended. FORGE_MODEL,
  /// FORGE_PORT and FORGE_DEVICE are unset unless given.
  explicit ServerProgram(const std::vector<std::string>& arguments = {"--port", "0"},
                         const std::vector<Environment>& environment = {});
  /// Kills it if it still runs.
  ~ServerProgram();
  ServerProgram(const ServerProgram&) = delete;
  ServerProgram& operator=(const ServerProgram&) = delete;

  /// "http://127.0.0.1:40003" of the line that says so; "" where there was none.
  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] uint16_t port() const;

  [[nodiscard]] std::string out() const { return read_bytes(folder_.path("out")); }
  [[nodiscard]] std::string err() const { return read_bytes(folder_.path("err")); }

  void signal(int number) const;
  /// The exit code (128 + signal where one ended it); nothing where it runs on for so long.
  [[nodiscard]] std::optional<int> wait(std::chrono::milliseconds within);

  /// One request on a connection of its own. lines: further headers ("Name: value\r\n").
  [[nodiscard]] Answer get(std::string_view path, std::string_view lines = {}) const;
  [[nodiscard]] Answer post(std::string_view path, std::string_view body,
                            std::string_view lines = {}) const;
  /// A sample of /metrics by its name, labels included; -1 where there is none.
  [[nodiscard]] double metric(std::string_view name) const;

 private:
  TemporaryFolder folder_;
  pid_t process_ = 0;
  std::optional<int> exit_code_;
  std::string url_;
};

/// Waits until the condition holds, at most 20 s.
template <typename Condition>
[[nodiscard]] bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    ::usleep(2000);
  }
  return true;
}

/// Parses text that must be JSON.
[[nodiscard]] json::Document parse_json(std::string_view text);

/// What a stream of server-sent events said.
struct StreamText {
  std::string text;           // of choice 0
  std::string finish_reason;  // of its last event
  std::string error;          // message of an error event
  bool is_whole = false;      // [DONE] came, and the end of the body
};
[[nodiscard]] StreamText read_stream(const Answer& answer);

}  // namespace forge::cli
