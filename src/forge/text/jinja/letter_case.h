// Python's case conversions and character classes of str, by the Unicode tables.
#pragma once

#include <string>
#include <string_view>

namespace forge::text::jinja {

/// Character by character; of the characters that become several only "ß" (upper, title) and "İ"
/// (lower) do so here, where Python knows a hundred more. A sigma at the end of a word gets its
/// final form.
[[nodiscard]] std::string to_upper(std::string_view text);
[[nodiscard]] std::string to_lower(std::string_view text);
/// First character in title case, the rest in lower case.
[[nodiscard]] std::string to_capitalized(std::string_view text);
/// str.title(): every letter after something that has no case.
[[nodiscard]] std::string to_title(std::string_view text);
[[nodiscard]] std::string swap_case(std::string_view text);

/// str.islower() and str.isupper(): at least one cased character, and none of the other case.
[[nodiscard]] bool is_all_lower(std::string_view text);
[[nodiscard]] bool is_all_upper(std::string_view text);

/// Of one character.
[[nodiscard]] bool is_letter(char32_t c);
[[nodiscard]] bool is_decimal(char32_t c);
/// Decimal digits and other characters with a numeric value (superscripts, fractions, Roman
/// numerals).
[[nodiscard]] bool is_numeric(char32_t c);
/// Letters, digits, "_": what a regular expression's \w matches.
[[nodiscard]] bool is_word(char32_t c);

}  // namespace forge::text::jinja
