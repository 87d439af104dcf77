// fake_server.py as a process, for tests.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "forge/server/client/child_server.h"

namespace forge::server::client {

/// Runs until it goes out of scope. Aborts the test program where it cannot start: without Python 3
/// (of the build's packages) there is nothing to test.
class FakeServer {
 public:
  /// With a certificate and its key (PEM files) it speaks TLS.
  explicit FakeServer(const std::vector<std::string>& certificate_and_key = {});

  [[nodiscard]] const std::string& url() const { return server_->url(); }
  /// The body of GET prefix + path.
  [[nodiscard]] std::string get(const std::string& path) const;

 private:
  std::unique_ptr<ChildServer> server_;
};

}  // namespace forge::server::client
