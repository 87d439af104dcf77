// UTF-8 at the byte level: decoding, validation, encoding. Unicode properties live in text/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace forge {

/// One decoded code point. length is the number of bytes it took (1 for an invalid byte).
struct Utf8Char {
  char32_t code_point = 0;
  int length = 0;
  bool is_valid = false;
};

/// Decodes the code point at text[offset] (offset < size). Overlong forms, surrogates, values above
/// U+10FFFF and cut sequences are invalid: one byte is consumed, code_point is U+FFFD.
[[nodiscard]] Utf8Char decode_utf8(std::string_view text, size_t offset);

/// The offset of the first invalid byte, or nothing where the whole text is valid UTF-8.
[[nodiscard]] std::optional<size_t> find_invalid_utf8(std::string_view text);

/// Replaces each maximal invalid part by one U+FFFD, as the Unicode standard (3.9, "maximal
/// subpart") and Python's errors="replace" do.
[[nodiscard]] std::string replace_invalid_utf8(std::string_view text);

/// Length of the longest prefix that does not end inside a character which later bytes could
/// complete.
[[nodiscard]] size_t complete_utf8_prefix(std::string_view text);

/// Appends the UTF-8 form of a code point (<= U+10FFFF, not a surrogate).
void append_utf8(std::string& out, char32_t code_point);

}  // namespace forge
