#include "forge/hub/partial_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

namespace forge::hub {
namespace {

constexpr int64_t kHashedAtOnce = 32 << 20;  // some 20 to 80 ms, between two looks at the network

}  // namespace

PartialFile::PartialFile(std::string blob_path, int descriptor, int64_t n_bytes,
                         ContentHash::Kind kind)
    : blob_path_(std::move(blob_path)),
      path_(blob_path_ + ".incomplete"),
      descriptor_(descriptor),
      n_bytes_(n_bytes),
      kind_(kind),
      hash_(kind, n_bytes) {}

PartialFile::~PartialFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

PartialFile::PartialFile(PartialFile&& other) noexcept
    : blob_path_(std::move(other.blob_path_)),
      path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      n_bytes_(other.n_bytes_),
      kind_(other.kind_),
      hash_(std::move(other.hash_)),
      n_found_(other.n_found_),
      n_hashed_(other.n_hashed_) {}

Error PartialFile::error(const char* what, int number) const {
  if (number == ENOSPC || number == EDQUOT) {
    return make_error(
        "{}: the disk is full: make room and give the same command again, which goes "
        "on from here, or set HF_HUB_CACHE to another disk",
        path_);
  }
  if (number == EFBIG) {
    return make_error("{}: the file system or a limit (ulimit -f) does not allow a file this large",
                      path_);
  }
  return make_error("{}: cannot {}: {}", path_, what, std::generic_category().message(number));
}

Result<PartialFile> PartialFile::open(const std::string& blob_path, int64_t n_bytes,
                                      ContentHash::Kind kind) {
  const std::string path = blob_path + ".incomplete";
  PartialFile file(blob_path, ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666),
                   n_bytes, kind);
  if (file.descriptor_ < 0) return file.error("open", errno);
  struct stat found {};
  if (::fstat(file.descriptor_, &found) != 0) return file.error("look at", errno);
  if (!S_ISREG(found.st_mode)) return make_error("{}: not a file: delete it", path);
  file.n_found_ = found.st_size;
  if (file.n_found_ > n_bytes) FORGE_TRY_STATUS(file.restart());
  return file;
}

Status PartialFile::hash_found() {
  std::vector<char> bytes(static_cast<size_t>(std::min(kHashedAtOnce, n_unhashed())));
  const ssize_t n = ::pread(descriptor_, bytes.data(), bytes.size(), n_hashed_);
  if (n <= 0) return error("read", n < 0 ? errno : EIO);
  hash_.update({bytes.data(), static_cast<size_t>(n)});
  n_hashed_ += n;
  return {};
}

Status PartialFile::append(std::span<const char> bytes) {
  std::span<const char> rest = bytes;
  while (!rest.empty()) {
    const ssize_t n = ::pwrite(descriptor_, rest.data(), rest.size(), n_hashed_);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return error("write", errno);
    hash_.update(rest.first(static_cast<size_t>(n)));
    n_hashed_ += n;
    n_found_ = n_hashed_;
    rest = rest.subspan(static_cast<size_t>(n));
  }
  return {};
}

Status PartialFile::restart() {
  if (::ftruncate(descriptor_, 0) != 0) return error("empty", errno);
  n_found_ = 0;
  n_hashed_ = 0;
  hash_ = ContentHash(kind_, n_bytes_);
  return {};
}

Status PartialFile::commit() {
  // Else a crash of the machine could leave a name on bytes that never came to the disk.
  if (::fsync(descriptor_) != 0) return error("write", errno);
  if (::rename(path_.c_str(), blob_path_.c_str()) != 0) return error("rename", errno);
  return {};
}

void PartialFile::discard() { ::unlink(path_.c_str()); }

}  // namespace forge::hub
