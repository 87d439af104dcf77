// Text that is broken at blanks to fit a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace forge::cli {

/// A name and a text about it, which is wrapped: beside the name, in a column behind name_width,
/// where there is room, else below it. Ends with a line end.
[[nodiscard]] std::string wrapped_entry(std::string_view name, std::string_view text,
                                        size_t name_width, int n_columns);

}  // namespace forge::cli
