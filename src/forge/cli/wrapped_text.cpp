#include "forge/cli/wrapped_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace forge::cli {

std::string wrapped_entry(std::string_view name, std::string_view text, size_t name_width,
                          int n_columns) {
  constexpr size_t kLeastText = 24;
  const size_t width = static_cast<size_t>(std::max(n_columns, 1));
  const bool is_beside = name_width + 4 + kLeastText < width;
  std::string out = fmt::format("  {:<{}}", name, is_beside ? name_width : 0);
  if (!is_beside) out += "\n";
  const std::string indent(is_beside ? name_width + 4 : 4, ' ');
  std::string line = is_beside ? "  " : indent;
  size_t n_used = indent.size();
  for (bool is_first = true; !text.empty(); is_first = false) {
    const size_t end = std::min(text.find(' '), text.size());
    if (!is_first && n_used + 1 + end >= width) {
      out += line + "\n";
      line = indent;
      n_used = indent.size();
    } else if (!is_first) {
      line += ' ';
      ++n_used;
    }
    line += text.substr(0, end);
    n_used += end;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out + line + "\n";
}

}  // namespace forge::cli
