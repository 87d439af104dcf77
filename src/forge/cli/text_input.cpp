#include "forge/cli/text_input.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "forge/base/utf8.h"

namespace forge::cli {
namespace {

constexpr size_t kReadBytes = 64 * 1024;

/// Appends what one read gives to text; 0 at the end.
Result<size_t> read_more(int file, std::string& text, std::string_view name) {
  const size_t old_size = text.size();
  while (true) {
    text.resize(old_size + kReadBytes);
    const ssize_t n = ::read(file, text.data() + old_size, kReadBytes);
    text.resize(old_size + static_cast<size_t>(n < 0 ? 0 : n));
    if (n >= 0) return static_cast<size_t>(n);
    if (errno != EINTR) return make_error("{}: {}", name, std::strerror(errno));
  }
}

Result<std::string> read_all(int file, std::string_view name) {
  constexpr size_t kMaxBytes = size_t{1} << 30;
  std::string text;
  while (true) {
    FORGE_TRY(const size_t n, read_more(file, text, name));
    if (n == 0) return text;
    if (text.size() > kMaxBytes) {
      return make_error("{}: more than {} bytes, expected a text that fits memory", name,
                        kMaxBytes);
    }
  }
}

}  // namespace

Result<std::string> read_text(const std::string& path) {
  if (path == "-") return read_all(STDIN_FILENO, "stdin");
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return make_error("{}: {}", path, std::strerror(errno));
  Result<std::string> text = read_all(file, path);
  ::close(file);
  return text;
}

Status check_utf8(std::string_view text, std::string_view what) {
  const auto offset = find_invalid_utf8(text);
  if (!offset) return {};
  return make_error("{} is not valid UTF-8: byte {} is 0x{:02x}", what, *offset,
                    static_cast<unsigned char>(text[*offset]));
}

Result<std::string> read_utf8(const std::string& path) {
  FORGE_TRY(std::string text, read_text(path));
  FORGE_TRY_STATUS(check_utf8(text, path == "-" ? "stdin" : path));
  return text;
}

bool LineReader::has_line() const { return buffer_.find('\n', scanned_) != std::string::npos; }

Result<bool> LineReader::next(std::string& line) {
  while (true) {
    const size_t end = buffer_.find('\n', scanned_);
    if (end != std::string::npos) {
      line.assign(buffer_, begin_, end - begin_);
      begin_ = scanned_ = end + 1;
      break;
    }
    scanned_ = buffer_.size();
    if (is_at_end_) {
      if (begin_ == buffer_.size()) return false;
      line.assign(buffer_, begin_);
      begin_ = buffer_.size();
      break;
    }
    buffer_.erase(0, begin_);
    scanned_ -= begin_;
    begin_ = 0;
    FORGE_TRY(const size_t n, read_more(STDIN_FILENO, buffer_, "stdin"));
    is_at_end_ = n == 0;
  }
  if (line.ends_with('\r')) line.pop_back();
  return true;
}

}  // namespace forge::cli
