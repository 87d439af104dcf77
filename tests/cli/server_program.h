// forge serve as a child process, the way an operator runs it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/json.h"
#include "tests/cli/running_program.h"
#include "tests/server/test_client.h"

namespace forge::cli {

using server::http::Answer;
using server::http::TestClient;

/// A running server.
class ServerProgram : public RunningProgram {
 public:
  /// Runs forge serve with these arguments and waits until it listens, or has ended.
  explicit ServerProgram(const std::vector<std::string>& arguments = {"--port", "0"},
                         const std::vector<Environment>& environment = {});

  /// "http://127.0.0.1:40003" of the line that says so; "" where there was none.
  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] uint16_t port() const;

  /// One request on a connection of its own. lines: further headers ("Name: value\r\n").
  [[nodiscard]] Answer get(std::string_view path, std::string_view lines = {}) const;
  [[nodiscard]] Answer post(std::string_view path, std::string_view body,
                            std::string_view lines = {}) const;
  /// A sample of /metrics by its name, labels included; -1 where there is none.
  [[nodiscard]] double metric(std::string_view name) const;

 private:
  std::string url_;
};

/// The model of an EndlessServer.
struct EndlessModel {
  TemporaryFolder folder;
  std::string path = endless_stories_folder(folder);
};

/// A server in the slow arithmetic whose texts can go on for minutes (max_tokens up to 100,000):
/// what a test wants to see happen beside one happens beside it on any machine.
class EndlessServer : EndlessModel, public ServerProgram {
 public:
  explicit EndlessServer(const std::vector<std::string>& more = {})
      : ServerProgram(arguments(path, more)) {}

 private:
  static std::vector<std::string> arguments(const std::string& model,
                                            const std::vector<std::string>& more);
};

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
