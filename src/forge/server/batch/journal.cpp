#include "forge/server/batch/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace forge::server::batch {
namespace {

/// A new file's name is safe only once its folder is. Some file systems cannot; then it is as safe
/// as they make it.
void sync_folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  (void)::fsync(fd);
  ::close(fd);
}

}  // namespace

Journal::Journal(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

Journal::Journal(Journal&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      answered_(std::move(other.answered_)),
      size_(other.size_) {}

Journal::~Journal() {
  if (fd_ >= 0) ::close(fd_);
}

Error Journal::failure(std::string_view what) const {
  return make_error("{}: {}: {}", path_, what, std::strerror(errno));
}

Result<Journal> Journal::open(const std::string& path, const std::string& input_path, Start start) {
  constexpr mode_t kMode = 0666;  // less the umask
  // NONBLOCK: a pipe without a reader is refused below instead of waited for.
  const int fd =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, kMode);
  if (fd < 0) return make_error("{}: cannot be opened: {}", path, std::strerror(errno));
  Journal journal(path, fd);
  struct stat info {};
  if (::fstat(fd, &info) != 0) return journal.failure("cannot be looked at");
  if (!S_ISREG(info.st_mode)) {
    return make_error("{}: expected a regular file, from which a run can be taken up again", path);
  }
  struct stat input {};
  if (::stat(input_path.c_str(), &input) == 0 && input.st_dev == info.st_dev &&
      input.st_ino == info.st_ino) {
    return make_error("{}: the output cannot be the input", path);
  }
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return make_error("{}: another process is writing to it", path);
    }
    return journal.failure("cannot be locked");
  }
  if (start == Start::kResume) {
    FORGE_TRY(journal.answered_, AnsweredLines::read(path));
    journal.size_ = journal.answered_.whole_bytes();
  }
  return journal;
}

Status Journal::begin() {
  if (::ftruncate(fd_, size_) != 0) return failure("cannot be cut to its whole lines");
  sync_folder_of(path_);
  return sync();
}

Status Journal::append(std::string_view line) {
  size_t n_written = 0;
  while (n_written < line.size()) {
    const ssize_t n = ::write(fd_, line.data() + n_written, line.size() - n_written);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      Error error = failure("cannot be written");
      if (n_written > 0 && ::ftruncate(fd_, size_) != 0)
        error = failure("cannot be written or cut");
      return error;
    }
    // A part only: the disk is full, which the next write says, or a signal came.
    n_written += static_cast<size_t>(n);
  }
  size_ += static_cast<int64_t>(line.size());
  return {};
}

Status Journal::sync() {
  // EINVAL: a file system that has nothing to sync.
  if (::fdatasync(fd_) != 0 && errno != EINVAL) return failure("cannot be written to the disk");
  return {};
}

}  // namespace forge::server::batch
