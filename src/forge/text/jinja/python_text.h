// Python's str operations on UTF-8 text. Lengths and indices are counted in code points.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace forge::text::jinja {

[[nodiscard]] bool is_ascii(std::string_view text);
[[nodiscard]] size_t count_chars(std::string_view text);
/// Byte offset of character n, or the text's size where it has fewer.
[[nodiscard]] size_t char_offset(std::string_view text, size_t n);
/// The code points of the text (U+FFFD for an invalid byte).
[[nodiscard]] std::u32string to_code_points(std::string_view text);

/// str.isspace() of one character.
[[nodiscard]] bool is_space(char32_t c);

enum class Side : uint8_t { kLeft, kRight, kBoth };
/// strip(), lstrip(), rstrip(): white space, or any of the characters of the set.
[[nodiscard]] std::string_view strip(std::string_view text, Side side);
[[nodiscard]] std::string_view strip(std::string_view text, Side side, std::string_view set);

/// First occurrence at or after from, or npos. Linear in the worst case.
[[nodiscard]] size_t find_text(std::string_view text, std::string_view wanted, size_t from);
/// Non-overlapping occurrences; of "" one more than there are characters.
[[nodiscard]] size_t count_text(std::string_view text, std::string_view wanted);
/// Replaces the first max_count occurrences (all where negative).
[[nodiscard]] std::string replace_text(std::string_view text, std::string_view from,
                                       std::string_view to, int64_t max_count);

/// split() at runs of white space; max_splits < 0 is no bound.
[[nodiscard]] std::vector<std::string_view> split_space(std::string_view text, int64_t max_splits);
[[nodiscard]] std::vector<std::string_view> rsplit_space(std::string_view text, int64_t max_splits);
/// split(separator) and rsplit(separator); separator is not empty.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, std::string_view separator,
                                                  int64_t max_splits);
[[nodiscard]] std::vector<std::string_view> rsplit(std::string_view text,
                                                   std::string_view separator, int64_t max_splits);
/// splitlines(): at every line boundary Python knows, not only "\n".
[[nodiscard]] std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends);

/// repr() of a str: quoted as Python chooses, what is not printable escaped.
[[nodiscard]] std::string quoted(std::string_view text);
/// repr() of a float: shortest digits that read back, "1e+16" from there on, ".0" where integral.
[[nodiscard]] std::string float_text(double number);
/// int(text) and float(text): surrounding white space and single underscores allowed.
[[nodiscard]] std::optional<int64_t> parse_int(std::string_view text, int base);
[[nodiscard]] std::optional<double> parse_float(std::string_view text);

/// & < > " ' as HTML entities, as the package MarkupSafe writes them.
[[nodiscard]] std::string escape_html(std::string_view text);

}  // namespace forge::text::jinja
