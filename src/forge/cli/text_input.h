// Text that comes from flags, files and stdin.
#pragma once

#include <string>
#include <string_view>

#include "forge/base/result.h"

namespace forge::cli {

/// All bytes of a file or pipe; "-" is stdin. Fails above 1 GiB.
[[nodiscard]] Result<std::string> read_text(const std::string& path);

/// Fails where text is not UTF-8, naming the first byte that is wrong. what names the text:
/// "--prompt".
[[nodiscard]] Status check_utf8(std::string_view text, std::string_view what);

/// The same of a file that is text. Fails where it is not UTF-8.
[[nodiscard]] Result<std::string> read_utf8(const std::string& path);

/// Lines of stdin, read as they come: output that waits in another buffer can be flushed just
/// before the program would wait for input, so that a program at the other end may ask and answer
/// in turn.
class LineReader {
 public:
  /// True where next() has a line without waiting.
  [[nodiscard]] bool has_line() const;
  /// The next line without its end (LF or CR LF) in line; false at the end of the input.
  [[nodiscard]] Result<bool> next(std::string& line);

 private:
  std::string buffer_;
  size_t begin_ = 0;    // of the next line in buffer_
  size_t scanned_ = 0;  // no line end in buffer_ before this
  bool is_at_end_ = false;
};

}  // namespace forge::cli
