#include "forge/cli/stdout_stream.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "forge/cli/report.h"

namespace forge::cli {

void StdoutStream::write(std::string_view text) {
  constexpr size_t kBufferBytes = 64 * 1024;
  if (!is_open()) return;
  buffer_ += text;
  if (buffer_.size() >= kBufferBytes) flush();
}

void StdoutStream::flush() {
  std::string_view rest = buffer_;
  while (is_open() && !rest.empty()) {
    const ssize_t n = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (n >= 0) {
      rest.remove_prefix(static_cast<size_t>(n));
    } else if (errno != EINTR) {
      error_number_ = errno;
    }
  }
  buffer_.clear();
}

int StdoutStream::close() {
  flush();
  if (is_open() || error_number_ == EPIPE) return kOk;
  return runtime_error(fmt::format("cannot write to stdout: {}", std::strerror(error_number_)));
}

}  // namespace forge::cli
