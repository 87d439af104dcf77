// The program's output.
#pragma once

#include <string>
#include <string_view>

namespace forge::cli {

/// Writes to stdout. When the reader goes away (a closed pipe) or the disk is full, writing turns
/// into nothing and is_open() into false; close() then says which it was. SIGPIPE must be ignored.
class StdoutStream {
 public:
  /// Buffers text; flush() hands it on.
  void write(std::string_view text);
  void flush();
  [[nodiscard]] bool is_open() const { return error_number_ == 0; }
  /// Flushes. kOk, also where the reader went away; kRuntimeError, reported, for any other failure.
  [[nodiscard]] int close();

 private:
  std::string buffer_;
  int error_number_ = 0;
};

}  // namespace forge::cli
