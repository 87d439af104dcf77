#include "forge/text/jinja/string_literal.h"

#include <optional>

#include "forge/base/utf8.h"

namespace forge::text::jinja {

namespace {

std::optional<char32_t> read_hex(std::string_view text, size_t n_digits) {
  if (text.size() < n_digits) return std::nullopt;
  char32_t value = 0;
  for (const char c : text.substr(0, n_digits)) {
    if (c >= '0' && c <= '9') {
      value = value * 16 + static_cast<char32_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value = value * 16 + static_cast<char32_t>(c - 'a' + 10);
    } else if (c >= 'A' && c <= 'F') {
      value = value * 16 + static_cast<char32_t>(c - 'A' + 10);
    } else {
      return std::nullopt;
    }
  }
  return value;
}

/// What a one-letter escape stands for, or 0.
char simple_escape(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case 'a':
      return '\a';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'v':
      return '\v';
    case '\\':
    case '\'':
    case '"':
      return c;
    default:
      return 0;
  }
}

}  // namespace

Result<std::string> unescape(std::string_view literal) {
  std::string out;
  out.reserve(literal.size());
  for (size_t at = 0; at < literal.size();) {
    const char c = literal[at++];
    if (c != '\\' || at >= literal.size()) {
      out += c;
      continue;
    }
    const char escape = literal[at++];
    if (const char simple = simple_escape(escape)) {
      out += simple;
    } else if (escape >= '0' && escape <= '7') {
      char32_t value = static_cast<char32_t>(escape - '0');
      for (int i = 0; i < 2 && at < literal.size() && literal[at] >= '0' && literal[at] <= '7';
           ++i) {
        value = value * 8 + static_cast<char32_t>(literal[at++] - '0');
      }
      append_utf8(out, value);
    } else if (escape == 'x' || escape == 'u' || escape == 'U') {
      const size_t n_digits = escape == 'x' ? 2 : escape == 'u' ? 4 : 8;
      std::optional<char32_t> value = read_hex(literal.substr(at), n_digits);
      if (!value) return make_error("a truncated \\{} escape in a string", escape);
      at += n_digits;
      if (*value >= 0xD800 && *value < 0xDC00 && literal.substr(at, 2) == "\\u") {
        const std::optional<char32_t> low = read_hex(literal.substr(at + 2), 4);
        if (low && *low >= 0xDC00 && *low < 0xE000) {
          value = 0x10000 + ((*value - 0xD800) << 10) + (*low - 0xDC00);
          at += 6;
        }
      }
      if (*value > 0x10FFFF || (*value >= 0xD800 && *value < 0xE000)) {
        return make_error("a \\{} escape that is no character", escape);
      }
      append_utf8(out, *value);
    } else if (escape == 'N') {
      return make_error("a \\N escape in a string: character names are not known here");
    } else if (escape != '\n') {
      out += '\\';
      out += escape;
    }
  }
  return out;
}

}  // namespace forge::text::jinja
