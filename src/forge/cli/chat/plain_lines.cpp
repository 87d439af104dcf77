// Lines of a pipe, a file, or a terminal that cannot do more.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "forge/cli/chat/line_source.h"
#include "forge/cli/chat/signals.h"

namespace forge::cli::chat {
namespace {

class PlainLines : public LineSource {
 public:
  explicit PlainLines(bool prompts) : prompts_(prompts) {}

  LineOutcome read(bool is_continuation, std::string& line) override {
    if (prompts_) {
      const std::string_view prompt = is_continuation ? kContinuationPrompt : kPrompt;
      std::fwrite(prompt.data(), 1, prompt.size(), stdout);
      std::fflush(stdout);
    }
    while (true) {
      const size_t end = buffer_.find('\n', scanned_);
      if (end != std::string::npos) return take(end, 1, line);
      scanned_ = buffer_.size();
      if (n_ends_ > 0) return buffer_.empty() ? LineOutcome::kEnd : take(buffer_.size(), 0, line);
      if (buffer_.size() > kMostBytes) {
        error_ = "stdin: a line of more than 16 MiB";
        return LineOutcome::kFailed;
      }
      if (!wait_for_input(STDIN_FILENO)) {
        if (is_terminated()) return LineOutcome::kEnd;
        if (!take_interrupt()) continue;
        line.clear();
        return LineOutcome::kInterrupt;
      }
      if (!read_more()) return LineOutcome::kFailed;
    }
  }

  int ends_ahead() override {
    // Of a pipe nothing is read before its turn.
    while (prompts_ && n_ends_ < 2 && buffer_.size() <= kMostBytes && has_input(STDIN_FILENO)) {
      if (!read_more()) break;
    }
    return n_ends_;
  }

 private:
  LineOutcome take(size_t end, size_t n_after, std::string& line) {
    line.assign(buffer_, 0, end);
    buffer_.erase(0, end + n_after);
    scanned_ = 0;
    if (line.ends_with('\r')) line.pop_back();
    return LineOutcome::kLine;
  }

  bool read_more() {
    constexpr size_t kReadBytes = 64 * 1024;
    const size_t old_size = buffer_.size();
    buffer_.resize(old_size + kReadBytes);
    const ssize_t n = ::read(STDIN_FILENO, buffer_.data() + old_size, kReadBytes);
    buffer_.resize(old_size + static_cast<size_t>(n < 0 ? 0 : n));
    if (n == 0) ++n_ends_;
    if (n >= 0 || errno == EINTR || errno == EAGAIN) return true;
    error_ = std::string("stdin: ") + std::strerror(errno);
    return false;
  }

  bool prompts_;
  std::string buffer_;
  size_t scanned_ = 0;  // no line end in buffer_ before this
  int n_ends_ = 0;      // a terminal may say it again
};

}  // namespace

std::unique_ptr<LineSource> plain_lines(bool prompts) {
  return std::make_unique<PlainLines>(prompts);
}

}  // namespace forge::cli::chat
