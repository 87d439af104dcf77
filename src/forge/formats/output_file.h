// A file that appears under its name only when it is complete.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>

#include "forge/base/result.h"

namespace forge::formats {

/// Writes to a temporary file beside the path; commit() renames it into place, and destruction
/// without commit() removes it. Write errors (a full disk) are kept and come out of commit(). One
/// owner.
class OutputFile {
 public:
  /// Fails where the directory is missing or not writable, naming path. mode: who may read and
  /// write it, as open() has it.
  [[nodiscard]] static Result<OutputFile> create(const std::string& path, mode_t mode = 0666);

  OutputFile(OutputFile&&) noexcept = default;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  void write(std::span<const std::byte> bytes);
  /// Zeros up to the next multiple of alignment (a power of two).
  void pad_to(uint64_t alignment);
  /// Bytes written so far.
  [[nodiscard]] uint64_t size() const { return size_; }

  /// Fails as soon as a write has failed, for those who would rather not make the rest.
  [[nodiscard]] Status status() const;

  /// Closes and renames. The file is at its path afterwards, or nothing is.
  [[nodiscard]] Status commit();

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  OutputFile(std::string path, std::string temporary, std::FILE* file);

  std::string path_;
  std::string temporary_;
  std::unique_ptr<std::FILE, Closer> file_;
  uint64_t size_ = 0;
  int error_ = 0;  // errno of the first failed write
};

}  // namespace forge::formats
