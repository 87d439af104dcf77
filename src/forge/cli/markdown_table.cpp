#include "forge/cli/markdown_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "forge/base/check.h"

namespace forge::cli {

MarkdownTable::MarkdownTable(std::vector<std::string> heads) { rows_.push_back(std::move(heads)); }

void MarkdownTable::row(std::vector<std::string> cells) {
  FORGE_CHECK(cells.size() == rows_[0].size(), "{} cells, {} heads", cells.size(), rows_[0].size());
  rows_.push_back(std::move(cells));
}

std::string MarkdownTable::text() const {
  const size_t n_columns = rows_[0].size();
  std::vector<size_t> widths(n_columns, 3);
  for (const auto& row : rows_) {
    for (size_t c = 0; c < n_columns; ++c) widths[c] = std::max(widths[c], row[c].size());
  }
  std::string text;
  for (size_t r = 0; r < rows_.size(); ++r) {
    text += '|';
    for (size_t c = 0; c < n_columns; ++c) {
      text += c == 0 ? fmt::format(" {:<{}} |", rows_[r][c], widths[c])
                     : fmt::format(" {:>{}} |", rows_[r][c], widths[c]);
    }
    text += '\n';
    if (r > 0) continue;
    text += '|';
    for (size_t c = 0; c < n_columns; ++c) {
      text += c == 0 ? fmt::format(" {:-<{}} |", "", widths[c])
                     : fmt::format(" {:->{}}: |", "", widths[c] - 1);
    }
    text += '\n';
  }
  return text;
}

}  // namespace forge::cli
