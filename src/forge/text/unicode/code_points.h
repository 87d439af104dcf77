// Questions about single code points, answered as the `tokenizers` library answers them.
#pragma once

#include <span>
#include <string_view>

#include "forge/text/unicode/tables.h"

namespace forge::text {

/// Unicode's White_Space property (25 code points).
[[nodiscard]] bool is_white_space(char32_t c);
/// General categories Nd, Nl and No.
[[nodiscard]] bool is_numeric(char32_t c);
/// ASCII symbols and the punctuation categories.
[[nodiscard]] bool is_punctuation(char32_t c);
/// Letters, marks, decimal digits, connectors: \w.
[[nodiscard]] bool is_word(char32_t c);

/// The entry of a sorted table that holds c, or null.
template <typename Entry>
[[nodiscard]] const Entry* find_entry(std::span<const Entry> table, char32_t c) {
  size_t low = 0;
  size_t high = table.size();
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (table[middle].last < c) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < table.size() && table[low].first <= c ? &table[low] : nullptr;
}

/// The code point that starts at text[offset]; text is valid UTF-8 and offset < size. Sets length
/// to its number of bytes.
[[nodiscard]] inline char32_t code_point_at(std::string_view text, size_t offset, size_t& length) {
  const auto byte = [&](size_t i) {
    return static_cast<char32_t>(static_cast<unsigned char>(text[offset + i]));
  };
  const char32_t lead = byte(0);
  if (lead < 0x80) {
    length = 1;
    return lead;
  }
  if (lead < 0xE0) {
    length = 2;
    return ((lead & 0x1F) << 6) | (byte(1) & 0x3F);
  }
  if (lead < 0xF0) {
    length = 3;
    return ((lead & 0x0F) << 12) | ((byte(1) & 0x3F) << 6) | (byte(2) & 0x3F);
  }
  length = 4;
  return ((lead & 0x07) << 18) | ((byte(1) & 0x3F) << 12) | ((byte(2) & 0x3F) << 6) |
         (byte(3) & 0x3F);
}

/// Number of bytes of the character that starts with this byte (valid UTF-8).
[[nodiscard]] inline size_t utf8_length(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

/// Where the character that ends just before offset starts (valid UTF-8, offset > 0).
[[nodiscard]] inline size_t previous_character(std::string_view text, size_t offset) {
  do {
    --offset;
  } while (offset > 0 && (static_cast<unsigned char>(text[offset]) & 0xC0) == 0x80);
  return offset;
}

/// Length of the run of ASCII at text[offset].
[[nodiscard]] size_t ascii_run(std::string_view text, size_t offset);

}  // namespace forge::text
