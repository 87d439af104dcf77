#include "forge/cli/control_filter.h"

#include <fmt/format.h>

namespace forge::cli {
namespace {

constexpr std::string_view kReturn = "\\x0d";

}  // namespace

std::string ControlFilter::pass(std::string_view piece) {
  std::string out;
  for (size_t i = 0; i < piece.size(); ++i) {
    const auto byte = static_cast<unsigned char>(piece[i]);
    if (has_return_ && byte != '\n') out += kReturn;
    has_return_ = byte == '\r';
    if (byte == '\r') continue;
    const auto next = i + 1 < piece.size() ? static_cast<unsigned char>(piece[i + 1]) : 0;
    if (byte == 0xc2 && next >= 0x80 && next < 0xa0) {  // C1 in UTF-8
      out += fmt::format("\\x{:02x}", next);
      ++i;
    } else if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += piece[i];
    }
  }
  return out;
}

std::string ControlFilter::flush() {
  const bool held = has_return_;
  has_return_ = false;
  return held ? std::string(kReturn) : std::string();
}

std::string harmless(std::string_view text) {
  ControlFilter filter;
  std::string out = filter.pass(text);
  return out + filter.flush();
}

}  // namespace forge::cli
