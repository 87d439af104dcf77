#include "forge/text/unicode/code_points.h"

#include <cstdint>
#include <cstring>

namespace forge::text {

bool is_white_space(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 0x09 && c <= 0x0D);
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool is_numeric(char32_t c) {
  if (c < 0x80) return c >= '0' && c <= '9';
  return find_entry(numeric_table(), c) != nullptr;
}

bool is_punctuation(char32_t c) { return find_entry(punctuation_table(), c) != nullptr; }

bool is_word(char32_t c) { return find_entry(word_table(), c) != nullptr; }

size_t ascii_run(std::string_view text, size_t offset) {
  const size_t start = offset;
  while (offset + 8 <= text.size()) {
    uint64_t word = 0;
    std::memcpy(&word, text.data() + offset, 8);
    if ((word & 0x8080808080808080ULL) != 0) break;
    offset += 8;
  }
  while (offset < text.size() && static_cast<unsigned char>(text[offset]) < 0x80) ++offset;
  return offset - start;
}

}  // namespace forge::text
