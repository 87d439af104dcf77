#include "forge/server/batch/line_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace forge::server::batch {
namespace {

constexpr size_t kChunkBytes = 256 << 10;  // reads of this size are as fast as larger ones

}  // namespace

LineReader::LineReader(std::string path, int fd, size_t max_line_bytes)
    : path_(std::move(path)), fd_(fd), max_line_bytes_(max_line_bytes), chunk_(kChunkBytes) {}

LineReader::LineReader(LineReader&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      max_line_bytes_(other.max_line_bytes_),
      chunk_(std::move(other.chunk_)),
      at_(other.at_),
      end_(other.end_),
      text_(std::move(other.text_)),
      n_lines_(other.n_lines_) {}

LineReader::~LineReader() {
  if (fd_ >= 0) ::close(fd_);
}

Result<LineReader> LineReader::open(const std::string& path, size_t max_line_bytes) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return make_error("{}: cannot be opened: {}", path, std::strerror(errno));
  LineReader reader(path, fd, max_line_bytes);
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    return make_error("{}: expected a regular file, since it is read more than once", path);
  }
  return reader;
}

Result<bool> LineReader::fill() {
  while (true) {
    const ssize_t n = ::read(fd_, chunk_.data(), chunk_.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return make_error("{}: cannot be read: {}", path_, std::strerror(errno));
    at_ = 0;
    end_ = static_cast<size_t>(n);
    return n > 0;
  }
}

Result<bool> LineReader::next(Line& line) {
  text_.clear();
  line.length = 0;
  line.has_line_end = false;
  while (!line.has_line_end) {
    if (at_ == end_) {
      FORGE_TRY(const bool has_more, fill());
      if (!has_more) break;
    }
    const char* begin = chunk_.data() + at_;
    const auto* line_end = static_cast<const char*>(std::memchr(begin, '\n', end_ - at_));
    line.has_line_end = line_end != nullptr;
    const size_t n = line.has_line_end ? static_cast<size_t>(line_end - begin) : end_ - at_;
    text_.append(begin, std::min(n, max_line_bytes_ - text_.size()));
    line.length += static_cast<int64_t>(n);
    at_ += n + (line.has_line_end ? 1 : 0);
  }
  if (line.length == 0 && !line.has_line_end) return false;
  line.number = ++n_lines_;
  line.text = text_;
  return true;
}

}  // namespace forge::server::batch
