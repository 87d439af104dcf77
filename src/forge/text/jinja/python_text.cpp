#include "forge/text/jinja/python_text.h"

#include <algorithm>
#include <cstring>

#include "forge/base/utf8.h"

namespace forge::text::jinja {

namespace {

constexpr size_t kNone = std::string_view::npos;

/// Start of the character that ends just before offset (> 0).
size_t previous_char(std::string_view text, size_t offset) {
  size_t start = offset - 1;
  while (start > 0 && offset - start < 4 &&
         (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) {
    --start;
  }
  // An invalid sequence is walked one byte at a time, as decode_utf8 does.
  return static_cast<size_t>(decode_utf8(text, start).length) == offset - start ? start
                                                                                : offset - 1;
}

template <typename Matches>
std::string_view strip_where(std::string_view text, Side side, Matches matches) {
  size_t begin = 0;
  size_t end = text.size();
  while (side != Side::kRight && begin < end) {
    const Utf8Char c = decode_utf8(text, begin);
    if (!matches(c.code_point)) break;
    begin += static_cast<size_t>(c.length);
  }
  while (side != Side::kLeft && begin < end) {
    const size_t start = previous_char(text, end);
    if (!matches(decode_utf8(text, start).code_point)) break;
    end = start;
  }
  return text.substr(begin, end - begin);
}

bool ends_line(char32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 ||
         c == 0x2029;
}

}  // namespace

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

size_t count_chars(std::string_view text) {
  if (is_ascii(text)) return text.size();
  size_t count = 0;
  for (size_t at = 0; at < text.size(); at += static_cast<size_t>(decode_utf8(text, at).length)) {
    ++count;
  }
  return count;
}

size_t char_offset(std::string_view text, size_t n) {
  size_t at = 0;
  while (n > 0 && at < text.size()) {
    at += static_cast<size_t>(decode_utf8(text, at).length);
    --n;
  }
  return at;
}

std::u32string to_code_points(std::string_view text) {
  std::u32string points;
  points.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const Utf8Char c = decode_utf8(text, at);
    points.push_back(c.code_point);
    at += static_cast<size_t>(c.length);
  }
  return points;
}

bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
         c == 0x205F || c == 0x3000;
}

std::string_view strip(std::string_view text, Side side) {
  return strip_where(text, side, is_space);
}

std::string_view strip(std::string_view text, Side side, std::string_view set) {
  const std::u32string points = to_code_points(set);
  return strip_where(text, side,
                     [&points](char32_t c) { return points.find(c) != std::u32string::npos; });
}

size_t find_text(std::string_view text, std::string_view wanted, size_t from) {
  if (from > text.size()) return kNone;
  if (wanted.empty()) return from;
  // memmem is linear even for hostile patterns, which string_view::find is not.
  const void* found = memmem(text.data() + from, text.size() - from, wanted.data(), wanted.size());
  return found == nullptr ? kNone
                          : static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

size_t count_text(std::string_view text, std::string_view wanted) {
  if (wanted.empty()) return count_chars(text) + 1;
  size_t count = 0;
  for (size_t at = find_text(text, wanted, 0); at != kNone;
       at = find_text(text, wanted, at + wanted.size())) {
    ++count;
  }
  return count;
}

std::string replace_text(std::string_view text, std::string_view from, std::string_view to,
                         int64_t max_count) {
  std::string out;
  size_t at = 0;
  if (from.empty()) {  // before every character and at the end
    while (max_count != 0) {
      out += to;
      --max_count;
      if (at >= text.size()) return out;
      const auto length = static_cast<size_t>(decode_utf8(text, at).length);
      out += text.substr(at, length);
      at += length;
    }
    return out += text.substr(at);
  }
  for (; max_count != 0; --max_count) {
    const size_t found = find_text(text, from, at);
    if (found == kNone) break;
    out += text.substr(at, found - at);
    out += to;
    at = found + from.size();
  }
  return out += text.substr(at);
}

std::vector<std::string_view> split_space(std::string_view text, int64_t max_splits) {
  std::vector<std::string_view> parts;
  text = strip(text, Side::kLeft);
  while (!text.empty()) {
    if (max_splits-- == 0) {
      parts.push_back(text);
      break;
    }
    size_t end = 0;
    while (end < text.size()) {
      const Utf8Char c = decode_utf8(text, end);
      if (is_space(c.code_point)) break;
      end += static_cast<size_t>(c.length);
    }
    parts.push_back(text.substr(0, end));
    text = strip(text.substr(end), Side::kLeft);
  }
  return parts;
}

std::vector<std::string_view> rsplit_space(std::string_view text, int64_t max_splits) {
  std::vector<std::string_view> parts;
  text = strip(text, Side::kRight);
  while (!text.empty()) {
    if (max_splits-- == 0) {
      parts.push_back(text);
      break;
    }
    size_t start = text.size();
    while (start > 0) {
      const size_t before = previous_char(text, start);
      if (is_space(decode_utf8(text, before).code_point)) break;
      start = before;
    }
    parts.push_back(text.substr(start));
    text = strip(text.substr(0, start), Side::kRight);
  }
  std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separator,
                                    int64_t max_splits) {
  std::vector<std::string_view> parts;
  size_t at = 0;
  for (; max_splits != 0; --max_splits) {
    const size_t found = find_text(text, separator, at);
    if (found == kNone) break;
    parts.push_back(text.substr(at, found - at));
    at = found + separator.size();
  }
  parts.push_back(text.substr(at));
  return parts;
}

std::vector<std::string_view> rsplit(std::string_view text, std::string_view separator,
                                     int64_t max_splits) {
  std::vector<std::string_view> parts;
  for (; max_splits != 0; --max_splits) {
    const size_t found = text.rfind(separator);
    if (found == kNone) break;
    parts.push_back(text.substr(found + separator.size()));
    text = text.substr(0, found);
  }
  parts.push_back(text);
  std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> lines;
  size_t start = 0;
  for (size_t at = 0; at < text.size();) {
    const Utf8Char c = decode_utf8(text, at);
    const size_t end = at;
    at += static_cast<size_t>(c.length);
    if (!ends_line(c.code_point)) continue;
    if (c.code_point == '\r' && at < text.size() && text[at] == '\n') ++at;
    lines.push_back(text.substr(start, (keep_ends ? at : end) - start));
    start = at;
  }
  if (start < text.size()) lines.push_back(text.substr(start));
  return lines;
}

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&#34;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace forge::text::jinja
