#include "forge/hub/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace forge::hub {

Result<std::optional<FileLock>> FileLock::try_take(const std::string& path) {
  // Others may take the file away while we wait for it: then the lock is on nothing.
  for (int i = 0; i < 10; ++i) {
    FileLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0664));
    if (lock.descriptor_ < 0) {
      return make_error("{}: cannot lock: {}", path, std::generic_category().message(errno));
    }
    if (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK || errno == EINTR) return std::optional<FileLock>();
      return make_error("{}: cannot lock: {}", path, std::generic_category().message(errno));
    }
    struct stat held {};
    struct stat named {};
    if (::fstat(lock.descriptor_, &held) == 0 && ::stat(path.c_str(), &named) == 0 &&
        held.st_ino == named.st_ino && held.st_dev == named.st_dev) {
      return std::optional<FileLock>(std::move(lock));
    }
  }
  return std::optional<FileLock>();
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

}  // namespace forge::hub
