// A whole file as read-only memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "forge/base/result.h"

namespace forge {

/// Owns a read-only mapping of a file; movable, the bytes stay where they are when it is moved.
/// Any thread may read. A file that another process cuts short while it is mapped raises SIGBUS on
/// access, as with every mapped file.
class MappedFile {
 public:
  /// Maps the whole file. Fails where it is missing, a directory or not readable; an empty file is
  /// fine.
  [[nodiscard]] static Result<MappedFile> open(const std::string& path);

  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  [[nodiscard]] std::span<const std::byte> bytes() const { return {data_, size_}; }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// When the file was last written, nanoseconds since 1970, as it was when it was mapped.
  [[nodiscard]] int64_t modified_ns() const { return modified_ns_; }

 private:
  std::string path_;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
  int64_t modified_ns_ = 0;
};

/// Takes whole pages inside a part of a mapped file out of this process's resident memory; they
/// stay in the system's page cache and come back when they are read. Only for bytes of a
/// MappedFile: other memory would lose its contents.
void release_pages(std::span<const std::byte> mapped);

/// Reads a whole small file into a string; fails above max_bytes, naming both sizes.
[[nodiscard]] Result<std::string> read_file(const std::string& path, size_t max_bytes);

}  // namespace forge
