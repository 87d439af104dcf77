#include "forge/hub/file_name.h"

#include <fmt/format.h>

#include <algorithm>

#include "forge/base/utf8.h"

namespace forge::hub {
namespace {

constexpr size_t kMaxLength = 1024;
constexpr size_t kMaxPart = 255;  // of file systems
constexpr int kMaxDepth = 16;

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

std::string shown(std::string_view name) {
  std::string text(name.substr(0, 100));
  for (char& c : text) c = is_control(c) || static_cast<unsigned char>(c) >= 0x80 ? '?' : c;
  return text;
}

}  // namespace

Status check_file_name(std::string_view name) {
  const auto refuse = [&](std::string_view why) {
    return make_error("the repository lists a file named \"{}\": {}", shown(name), why);
  };
  if (name.size() > kMaxLength) return refuse("its name is too long");
  if (std::any_of(name.begin(), name.end(), is_control)) return refuse("control characters in it");
  if (name.find('\\') != name.npos) return refuse("a backslash in it");
  if (find_invalid_utf8(name)) return refuse("it is not UTF-8");
  int depth = 0;
  for (size_t at = 0; at <= name.size();) {
    const size_t end = std::min(name.find('/', at), name.size());
    const std::string_view part = name.substr(at, end - at);
    if (part.empty() || part == "." || part == "..") return refuse("it leads somewhere else");
    if (part.size() > kMaxPart || ++depth > kMaxDepth) return refuse("its name is too long");
    at = end + 1;
  }
  return {};
}

std::string url_encode(std::string_view text, Slashes slashes) {
  std::string encoded;
  for (const char c : text) {
    const bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                          (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_' || c == '~' ||
                          (c == '/' && slashes == Slashes::kKept);
    encoded += is_plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

}  // namespace forge::hub
