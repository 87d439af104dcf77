// fake_hub.py as a process, for tests.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "forge/server/client/child_server.h"
#include "tests/temporary_folder.h"

namespace forge::hub {

/// Runs until it goes out of scope; its repositories and faults may change while it does. Aborts
/// the test program where it cannot start; but without Python there is only a URL at which nobody
/// answers, and the test must be a PythonTest.
class FakeHub {
 public:
  /// With a certificate and its key (PEM files) it speaks TLS, as "localhost".
  explicit FakeHub(const std::vector<std::string>& certificate_and_key = {});

  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] std::string path(std::string_view name) const { return folder_.path(name); }

  /// Before the revision is first asked for.
  void add(std::string_view repo, std::string_view file, std::string_view bytes,
           std::string_view revision = "main") const;
  /// faults.json and access.json, as fake_hub.py describes them.
  void set_faults(std::string_view json) const { folder_.write("faults.json", json); }
  void set_access(std::string_view json) const { folder_.write("access.json", json); }
  /// No faults, all access, an empty requests.log.
  void reset() const;
  /// From now on other clients' requests take no faults and are not in the log.
  void listen_to(std::string_view user_agent) const { folder_.write("agent", user_agent); }
  /// Lets answers go on that a fault has stopped.
  void go() const { folder_.write("go", ""); }

  /// The lines of requests.log.
  [[nodiscard]] std::vector<std::string> requests() const;
  /// How many of them hold all of these texts.
  [[nodiscard]] int count(const std::vector<std::string>& texts) const;

 private:
  TemporaryFolder folder_;
  std::unique_ptr<server::client::ChildServer> server_;
  std::string url_ = "http://127.0.0.1:1";
};

/// Bytes that are the same for the same seed, and do not compress.
[[nodiscard]] std::string random_bytes(size_t n, uint64_t seed);

}  // namespace forge::hub
