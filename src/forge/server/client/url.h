// The address of an OpenAI-compatible server.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "forge/base/result.h"

namespace forge::server::client {

struct Url {
  bool is_tls = false;
  std::string host;    // a name or an address, an IPv6 one without brackets
  uint16_t port = 0;   // 80 or 443 where the text has none
  std::string prefix;  // of every route, without a slash at its end: "/v1"

  /// "host:port" as the Host header has it; the port is left out where it is the scheme's own.
  [[nodiscard]] std::string authority() const;
  [[nodiscard]] std::string text() const;
};

/// Reads "http://host:8000", "https://[::1]:443/v1", ... As SDKs' base_url the text may have the
/// prefix of the routes; without a path it is "/v1". Users, queries and fragments are refused.
[[nodiscard]] Result<Url> parse_url(std::string_view text);

}  // namespace forge::server::client
