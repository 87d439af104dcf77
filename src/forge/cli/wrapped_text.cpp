#include "forge/cli/wrapped_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace forge::cli {

std::vector<std::string> wrap(const std::string& text, size_t width) {
  std::vector<std::string> lines;
  std::istringstream words(text);
  std::string line;
  for (std::string word; words >> word;) {
    if (!line.empty() && line.size() + 1 + word.size() > width) {
      lines.push_back(std::move(line));
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  lines.push_back(std::move(line));
  return lines;
}

std::string wrapped_entry(std::string_view name, std::string_view text, size_t name_width,
                          int n_columns) {
  constexpr size_t kLeastText = 24;
  const size_t width = static_cast<size_t>(std::max(n_columns, 1));
  const bool is_beside = name_width + 4 + kLeastText < width;
  const size_t column = is_beside ? name_width + 4 : 4;
  std::string out = fmt::format("  {:<{}}", name, is_beside ? name_width : 0);
  if (!is_beside) out += "\n";
  bool is_first = is_beside;
  for (const std::string& line :
       wrap(std::string(text), std::max(width, column + 2) - column - 1)) {
    out += std::string(is_first ? 2 : column, ' ') + line + "\n";
    is_first = false;
  }
  return out;
}

}  // namespace forge::cli
