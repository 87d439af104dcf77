// A server of our own for the length of a measurement.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "forge/base/result.h"

namespace forge::server::client {

/// A child process that serves, and says where on stderr: a line with "listening on URL". Its other
/// lines go to on_line, in a thread of its own. Destroying it ends the process by SIGTERM, and by
/// SIGKILL where that does not help within some seconds.
class ChildServer {
 public:
  /// command: a program's path and its arguments. Waits until the server listens; fails with its
  /// last line where it ends before that.
  [[nodiscard]] static Result<std::unique_ptr<ChildServer>> start(
      const std::vector<std::string>& command, std::function<void(std::string_view)> on_line);
  ~ChildServer();
  ChildServer(const ChildServer&) = delete;
  ChildServer& operator=(const ChildServer&) = delete;

  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] pid_t process() const { return process_; }

 private:
  ChildServer(pid_t process, int stderr_end) : process_(process), stderr_end_(stderr_end) {}

  pid_t process_;
  int stderr_end_;
  std::string url_;
  std::thread reader_;
};

}  // namespace forge::server::client
