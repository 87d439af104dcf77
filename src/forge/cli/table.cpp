#include "forge/cli/table.h"

#include <fmt/format.h>

#include <algorithm>

namespace forge::cli {

void Table::heading(std::string_view text) { sections_.push_back({std::string(text), {}}); }

void Table::row(std::vector<std::string> cells) {
  if (sections_.empty()) sections_.emplace_back();
  sections_.back().rows.push_back(std::move(cells));
}

std::string Table::text() const {
  std::string text;
  for (const Section& section : sections_) {
    if (!text.empty()) text += '\n';
    if (!section.heading.empty()) text += section.heading + "\n";
    std::vector<size_t> widths;
    for (const auto& cells : section.rows) {
      widths.resize(std::max(widths.size(), cells.size()), 0);
      for (size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], cells[i].size());
    }
    // Labels of all sections begin their values at the same column.
    if (!widths.empty()) widths[0] = std::max(widths[0], size_t{18});
    for (const auto& cells : section.rows) {
      std::string line;
      for (size_t i = 0; i < cells.size(); ++i) {
        line +=
            i + 1 < cells.size() ? fmt::format("  {:<{}}", cells[i], widths[i]) : "  " + cells[i];
      }
      text += line + "\n";
    }
  }
  return text;
}

}  // namespace forge::cli
