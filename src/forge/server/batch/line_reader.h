// The lines of a large file, one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/result.h"

namespace forge::server::batch {

/// One line, valid until the next is read.
struct Line {
  int64_t number = 0;         // from 1
  std::string_view text;      // without its line end; cut at the reader's most bytes
  int64_t length = 0;         // bytes of the whole line
  bool has_line_end = false;  // only a file's last line may lack it
};

/// Reads forward with memory for one line. One thread at a time.
class LineReader {
 public:
  /// Fails where the path is missing, not readable, or not a regular file.
  [[nodiscard]] static Result<LineReader> open(const std::string& path, size_t max_line_bytes);
  ~LineReader();
  LineReader(LineReader&& other) noexcept;
  LineReader& operator=(LineReader&&) = delete;

  /// The next line, empty ones included. False at the end of the file. Fails where reading does.
  [[nodiscard]] Result<bool> next(Line& line);

 private:
  LineReader(std::string path, int fd, size_t max_line_bytes);
  [[nodiscard]] Result<bool> fill();

  std::string path_;
  int fd_ = -1;
  size_t max_line_bytes_ = 0;
  std::vector<char> chunk_;
  size_t at_ = 0;   // of chunk_, what has not been taken
  size_t end_ = 0;  // of chunk_, what has been read
  std::string text_;
  int64_t n_lines_ = 0;
};

}  // namespace forge::server::batch
