#include "forge/server/http/target.h"

#include <algorithm>
#include <charconv>

#include "forge/base/utf8.h"

namespace forge::server::http {
namespace {

std::optional<std::string> decode_percent(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    uint8_t byte = 0;
    const char* const end = text.data() + i + 3;
    if (std::from_chars(text.data() + i + 1, end, byte, 16).ptr != end) return std::nullopt;
    decoded += static_cast<char>(byte);
    i += 2;
  }
  return decoded;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// Without "http://host" of the absolute form, which proxies use and servers must accept.
std::string_view without_authority(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!text.starts_with(scheme)) continue;
    const size_t slash = text.find('/', scheme.size());
    return slash == std::string_view::npos ? std::string_view("/") : text.substr(slash);
  }
  return text;
}

}  // namespace

std::optional<std::string> path_of_target(std::string_view text) {
  if (text == "*") return "*";
  text = without_authority(text);
  if (!text.starts_with('/') || text.find('#') != std::string_view::npos) return std::nullopt;
  auto path = decode_percent(text.substr(0, text.find('?')));
  if (!path || std::any_of(path->begin(), path->end(), is_control) || find_invalid_utf8(*path)) {
    return std::nullopt;
  }
  return path;
}

}  // namespace forge::server::http
