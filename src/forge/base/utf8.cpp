#include "forge/base/utf8.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace forge {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// A sequence as the Unicode standard's table 3-7 allows it, as far as the text goes.
struct Sequence {
  int expected = 1;     // bytes that a whole character with this first byte has
  int well_formed = 1;  // how many of them are there and allowed
  bool has_valid_lead = false;
};

Sequence scan(std::string_view text, size_t offset) {
  const auto byte_at = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte_at(offset);
  Sequence sequence;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (lead < 0x80) {
    sequence.has_valid_lead = true;
    return sequence;
  }
  if (lead < 0xC2 || lead > 0xF4) return sequence;
  sequence.has_valid_lead = true;
  sequence.expected = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (lead == 0xE0) low = 0xA0;
  if (lead == 0xED) high = 0x9F;
  if (lead == 0xF0) low = 0x90;
  if (lead == 0xF4) high = 0x8F;
  for (int i = 1; i < sequence.expected && offset + i < text.size(); ++i) {
    const unsigned char next = byte_at(offset + i);
    if (next < low || next > high) break;
    low = 0x80;
    high = 0xBF;
    ++sequence.well_formed;
  }
  return sequence;
}

}  // namespace

Utf8Char decode_utf8(std::string_view text, size_t offset) {
  const Sequence sequence = scan(text, offset);
  const auto lead = static_cast<unsigned char>(text[offset]);
  if (!sequence.has_valid_lead || sequence.well_formed < sequence.expected) {
    return {.code_point = 0xFFFD, .length = 1, .is_valid = false};
  }
  if (sequence.expected == 1) return {.code_point = lead, .length = 1, .is_valid = true};
  char32_t value = lead & (0xFFu >> (sequence.expected + 1));
  for (int i = 1; i < sequence.expected; ++i) {
    value = (value << 6) | (static_cast<unsigned char>(text[offset + i]) & 0x3Fu);
  }
  return {.code_point = value, .length = sequence.expected, .is_valid = true};
}

std::optional<size_t> find_invalid_utf8(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    // Most text is ASCII: eight bytes at a time while no high bit is set.
    uint64_t eight = 0;
    if (text.size() - i >= sizeof(eight)) {
      std::memcpy(&eight, text.data() + i, sizeof(eight));
      if ((eight & 0x8080808080808080u) == 0) {
        i += sizeof(eight);
        continue;
      }
    }
    const Sequence sequence = scan(text, i);
    if (!sequence.has_valid_lead || sequence.well_formed < sequence.expected) return i;
    i += sequence.expected;
  }
  return std::nullopt;
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  size_t i = 0;
  while (i < text.size()) {
    const Sequence sequence = scan(text, i);
    if (sequence.has_valid_lead && sequence.well_formed == sequence.expected) {
      out.append(text.substr(i, sequence.expected));
    } else {
      out.append(kReplacement);
    }
    i += sequence.well_formed;
  }
  return out;
}

size_t complete_utf8_prefix(std::string_view text) {
  const size_t first = text.size() - std::min<size_t>(text.size(), 3);
  for (size_t i = first; i < text.size(); ++i) {
    const Sequence sequence = scan(text, i);
    if (sequence.has_valid_lead && sequence.well_formed < sequence.expected &&
        i + sequence.well_formed == text.size()) {
      return i;
    }
  }
  return text.size();
}

void append_utf8(std::string& out, char32_t code_point) {
  const auto c = static_cast<uint32_t>(code_point);
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out.push_back(static_cast<char>(0xC0 | (c >> 6)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3F)));
  } else if (c < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | (c >> 12)));
    out.push_back(static_cast<char>(0x80 | ((c >> 6) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3F)));
  } else {
    out.push_back(static_cast<char>(0xF0 | (c >> 18)));
    out.push_back(static_cast<char>(0x80 | ((c >> 12) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | ((c >> 6) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3F)));
  }
}

}  // namespace forge
