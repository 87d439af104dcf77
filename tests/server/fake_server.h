// fake_server.py as a process, for tests.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "forge/server/client/child_server.h"

namespace forge::server::client {

/// Runs until it goes out of scope. Aborts the test program where it cannot start; but without
/// Python there is only a URL at which nobody answers, and the test must be a PythonTest.
class FakeServer {
 public:
  /// With a certificate and its key (PEM files) it speaks TLS.
  explicit FakeServer(const std::vector<std::string>& certificate_and_key = {});

  [[nodiscard]] const std::string& url() const { return url_; }
  /// The body of GET prefix + path.
  [[nodiscard]] std::string get(const std::string& path) const;

 private:
  std::unique_ptr<ChildServer> server_;
  std::string url_ = "http://127.0.0.1:1";
};

}  // namespace forge::server::client
