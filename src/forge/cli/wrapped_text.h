// Text that is broken at blanks to fit a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace forge::cli {

/// Text broken between words so that no line is longer than width (words longer than that stay
/// whole). At least one line.
[[nodiscard]] std::vector<std::string> wrap(const std::string& text, size_t width);

/// A name and a text about it, which is wrapped: beside the name, in a column behind name_width,
/// where there is room, else below it. Ends with a line end.
[[nodiscard]] std::string wrapped_entry(std::string_view name, std::string_view text,
                                        size_t name_width, int n_columns);

}  // namespace forge::cli
