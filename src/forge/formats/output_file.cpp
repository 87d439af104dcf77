#include "forge/formats/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

namespace forge::formats {

OutputFile::OutputFile(std::string path, std::string temporary, std::FILE* file)
    : path_(std::move(path)), temporary_(std::move(temporary)), file_(file) {}

Result<OutputFile> OutputFile::create(const std::string& path, mode_t mode) {
  static std::atomic<int> counter{0};
  // Process and counter make the name unique; O_EXCL follows no link that somebody laid out there.
  std::string temporary = fmt::format("{}.{}-{}.tmp", path, ::getpid(), counter++);
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return make_error("{}: cannot write: {}", path, std::strerror(errno));
  std::FILE* file = ::fdopen(fd, "wb");
  if (file == nullptr) {
    const int error = errno;
    ::close(fd);
    ::unlink(temporary.c_str());
    return make_error("{}: cannot write: {}", path, std::strerror(error));
  }
  return OutputFile(path, std::move(temporary), file);
}

OutputFile::~OutputFile() {
  if (file_ != nullptr) ::unlink(temporary_.c_str());
}

void OutputFile::write(std::span<const std::byte> bytes) {
  if (bytes.empty() || error_ != 0) return;
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) error_ = errno;
  size_ += bytes.size();
}

void OutputFile::pad_to(uint64_t alignment) {
  constexpr std::array<std::byte, 64> kZeros{};
  uint64_t missing = (alignment - size_ % alignment) % alignment;
  while (missing > 0) {
    const uint64_t n = std::min<uint64_t>(missing, kZeros.size());
    write(std::span(kZeros).first(n));
    missing -= n;
  }
}

Status OutputFile::status() const {
  if (error_ == 0) return {};
  return make_error("{}: cannot write: {}", path_, std::strerror(error_));
}

Status OutputFile::commit() {
  // Else a crash of the machine could leave the name on bytes that never came to the disk.
  const bool is_on_disk = std::fflush(file_.get()) == 0 && ::fsync(::fileno(file_.get())) == 0;
  if (!is_on_disk && error_ == 0) error_ = errno;
  if (std::fclose(file_.release()) != 0 && error_ == 0) error_ = errno;
  if (error_ == 0 && std::rename(temporary_.c_str(), path_.c_str()) != 0) error_ = errno;
  if (error_ == 0) return {};
  ::unlink(temporary_.c_str());
  return make_error("{}: cannot write {} bytes: {}", path_, size_, std::strerror(error_));
}

}  // namespace forge::formats
