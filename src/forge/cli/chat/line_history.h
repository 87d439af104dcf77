// What a person has typed, kept from one run to the next.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "forge/base/result.h"

namespace forge::cli::chat {

/// $XDG_STATE_HOME/forge/chat_history, else ~/.local/state/forge/chat_history; empty where neither
/// variable is set to an absolute path.
[[nodiscard]] std::string default_history_path();

/// A file of JSON strings, one a line (messages may have several lines), oldest first. Readable by
/// its owner only. Several processes may add to it at once (flock).
class LineHistory {
 public:
  /// Most entries that are kept, and most bytes.
  static constexpr size_t kMostEntries = 1000;
  static constexpr size_t kMostBytes = 1 << 20;

  /// Opens a file, makes it where it is not there (its folder, too), and cuts it to the bounds.
  /// Lines that are no JSON strings are skipped.
  [[nodiscard]] static Result<LineHistory> open(const std::string& path);

  /// As they were when it was opened; oldest first.
  [[nodiscard]] const std::vector<std::string>& entries() const { return entries_; }
  /// Appends an entry to the file at once, so that nothing is lost whatever ends the program. The
  /// same as the last one, a blank one or a very long one is left out.
  [[nodiscard]] Status add(std::string_view entry);

 private:
  LineHistory(std::string path, std::vector<std::string> entries)
      : path_(std::move(path)), entries_(std::move(entries)) {}
  std::string path_;
  std::vector<std::string> entries_;
  std::string last_;
};

}  // namespace forge::cli::chat
