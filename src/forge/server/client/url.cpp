#include "forge/server/client/url.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

namespace forge::server::client {
namespace {

constexpr uint16_t kHttpPort = 80;
constexpr uint16_t kHttpsPort = 443;

std::optional<uint16_t> parse_port(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

bool is_printable(char c) { return c > ' ' && c < 0x7f; }

}  // namespace

std::string Url::authority() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == (is_tls ? kHttpsPort : kHttpPort) ? name : fmt::format("{}:{}", name, port);
}

std::string Url::text() const {
  return fmt::format("{}://{}{}", is_tls ? "https" : "http", authority(), prefix);
}

Result<Url> parse_url(std::string_view text) {
  const auto fault = [text](std::string_view what) {
    return make_error("\"{}\": {}, expected http://HOST:PORT or https://HOST:PORT/PREFIX", text,
                      what);
  };
  if (!std::all_of(text.begin(), text.end(), is_printable))
    return fault("a blank or odd character");
  if (text.find_first_of("?#@") != std::string_view::npos)
    return fault("a user, query or fragment");
  Url url;
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    url.is_tls = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return fault("no http:// or https:// at its start");
  }
  const size_t path_at = std::min(rest.find('/'), rest.size());
  std::string_view authority = rest.substr(0, path_at);
  url.prefix = rest.substr(path_at);
  while (url.prefix.ends_with('/')) url.prefix.pop_back();
  if (url.prefix.empty()) url.prefix = "/v1";

  if (authority.starts_with('[')) {
    const size_t close = authority.find(']');
    if (close == std::string_view::npos) return fault("no ]");
    url.host = authority.substr(1, close - 1);
    authority.remove_prefix(close + 1);
  } else {
    const size_t colon = std::min(authority.find(':'), authority.size());
    url.host = authority.substr(0, colon);
    authority.remove_prefix(colon);
  }
  if (url.host.empty()) return fault("no host");
  url.port = url.is_tls ? kHttpsPort : kHttpPort;
  if (!authority.empty()) {
    const auto port = authority.starts_with(':') ? parse_port(authority.substr(1)) : std::nullopt;
    if (!port) return fault("no port from 1 to 65535");
    url.port = *port;
  }
  return url;
}

}  // namespace forge::server::client
