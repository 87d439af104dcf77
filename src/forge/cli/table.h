// Tables for people: sections of labelled values, columns aligned.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace forge::cli {

/// Collects rows and prints them with columns as wide as their widest cell. The last column may be
/// any length.
class Table {
 public:
  void heading(std::string_view text);
  void row(std::vector<std::string> cells);

  /// Rows of a section are aligned among themselves.
  [[nodiscard]] std::string text() const;

 private:
  struct Section {
    std::string heading;
    std::vector<std::vector<std::string>> rows;
  };
  std::vector<Section> sections_;
};

}  // namespace forge::cli
