// What a terminal would show: rows that wrap at the last column, and the few controls of ECMA-48
// that answers are written with.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/utf8.h"

namespace forge::cli {

/// CR, LF (to the start of the next row), tabs, CSI D, CSI K, and colours, which leave no trace.
/// Its widths are those of the characters that occur in the tests.
class Screen {
 public:
  explicit Screen(int n_columns) : n_columns_(static_cast<size_t>(n_columns)) {}

  void write(std::string_view text) {
    for (size_t at = 0; at < text.size();) {
      if (text[at] == '\x1b') {
        at = obey(text, at + 2);
        continue;
      }
      const Utf8Char c = decode_utf8(text, at);
      put(std::string(text.substr(at, static_cast<size_t>(c.length))), c.code_point);
      at += static_cast<size_t>(c.length);
    }
  }

  /// What stands in each row, without blanks at its end.
  [[nodiscard]] std::vector<std::string> rows() const {
    std::vector<std::string> rows;
    for (const auto& cells : cells_) {
      std::string row;
      for (const std::string& cell : cells) row += cell;
      row.erase(row.find_last_not_of(' ') + 1);
      rows.push_back(row);
    }
    return rows;
  }

 private:
  static size_t width(char32_t c) {
    if (c == 0x301 || c == 0xFE0F || c == 0x200D) return 0;
    return c >= 0x2E80 ? 2 : 1;
  }

  size_t obey(std::string_view text, size_t at) {
    size_t n = 0;
    while (text[at] >= '0' && text[at] <= '9') n = 10 * n + static_cast<size_t>(text[at++] - '0');
    if (text[at] == 'D') {
      column_ = std::min(column_, n_columns_ - 1);  // no longer beyond the edge
      column_ -= std::min(n, column_);
    } else if (text[at] == 'K') {
      cells_.back().resize(std::min(column_, cells_.back().size()));
    } else if (text[at] != 'm') {
      ADD_FAILURE() << "CSI " << text[at];
    }
    return at + 1;
  }

  void put(const std::string& bytes, char32_t c) {
    if (c == '\r') {
      column_ = 0;
      return;
    }
    if (c == '\n') {
      cells_.emplace_back();
      column_ = 0;
      return;
    }
    const size_t n = c == '\t' ? 8 - column_ % 8 : width(c);
    if (n == 0) {
      cells_.back()[column_ - 1] += bytes;
      return;
    }
    if (column_ + n > n_columns_) {
      cells_.emplace_back();
      column_ = 0;
    }
    auto& row = cells_.back();
    row.resize(column_ + n, "");
    for (size_t i = 0; i < n; ++i) row[column_ + i] = c == '\t' ? " " : "";
    if (c != '\t') row[column_ + n - 1] = bytes;
    column_ += n;
  }

  size_t n_columns_;
  size_t column_ = 0;
  std::vector<std::vector<std::string>> cells_{1};
};

}  // namespace forge::cli
