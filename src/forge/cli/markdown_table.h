// Tables as Markdown that people read in a terminal too.
#pragma once

#include <string>
#include <vector>

namespace forge::cli {

/// Collects rows; columns are as wide as their widest cell, numbers (anything but the first
/// column) aligned right.
class MarkdownTable {
 public:
  explicit MarkdownTable(std::vector<std::string> heads);
  /// As many cells as heads.
  void row(std::vector<std::string> cells);
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;  // the first are the heads
};

}  // namespace forge::cli
