#include "forge/text/regex/stand_in_text.h"

#include <bitset>

#include "forge/base/utf8.h"
#include "forge/text/unicode/code_points.h"

namespace forge::text {
namespace {

// Which pages of 256 code points hold any newer one: a cheap first test.
const std::bitset<0x1100>& newer_pages() {
  static const std::bitset<0x1100> pages = [] {
    std::bitset<0x1100> bits;
    for (const CodePointMapping& entry : newer_table()) {
      for (uint32_t page = entry.first >> 8; page <= entry.last >> 8; ++page) bits.set(page);
    }
    return bits;
  }();
  return pages;
}

}  // namespace

std::string_view with_stand_ins(std::string_view text, std::string& storage) {
  const std::bitset<0x1100>& pages = newer_pages();
  bool is_copied = false;
  size_t length = 0;
  for (size_t offset = ascii_run(text, 0); offset < text.size(); offset += length) {
    const char32_t c = code_point_at(text, offset, length);
    if (c < 0x800 || !pages[c >> 8]) continue;
    const CodePointMapping* entry = find_entry(newer_table(), c);
    if (entry == nullptr) continue;
    if (!is_copied) {
      storage.assign(text);
      is_copied = true;
    }
    std::string stand_in;
    append_utf8(stand_in, static_cast<char32_t>(entry->value));
    storage.replace(offset, length, stand_in);
  }
  return is_copied ? std::string_view(storage) : text;
}

}  // namespace forge::text
