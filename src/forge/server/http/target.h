// The request target (RFC 9112, 3.2) taken apart. A pure function, for tests and fuzzing.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace forge::server::http {

struct Target {
  std::string path;  // percent-decoded valid UTF-8; "*" for OPTIONS *
  std::string query;
};

/// Reads "/path?query", "http://host/path?query" or "*". Nothing where it is none of these, an
/// escape is broken, or the decoded path holds control characters or is no UTF-8.
[[nodiscard]] std::optional<Target> parse_target(std::string_view text);

}  // namespace forge::server::http
