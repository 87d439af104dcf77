// The 256 printable characters that byte-level vocabularies are spelt in: "Ġ" is the space, "Ċ" the
// newline. Source: Radford et al. 2019 (GPT-2), bytes_to_unicode of its published encoder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace forge::text {

/// The character that stands for a byte: itself where it is printable Latin-1, else U+0100 and up.
[[nodiscard]] std::string_view byte_to_alphabet(unsigned char byte);
/// The byte that a character stands for, if it is one of the 256.
[[nodiscard]] std::optional<unsigned char> alphabet_to_byte(char32_t c);

/// Spells bytes in the alphabet.
[[nodiscard]] std::string to_byte_alphabet(std::string_view bytes);
/// The bytes that text spells, or nothing where some character is not in the alphabet. text is
/// valid UTF-8.
[[nodiscard]] std::optional<std::string> from_byte_alphabet(std::string_view text);

}  // namespace forge::text
