// A lock that processes take on a file, as huggingface_hub takes it.
#pragma once

#include <optional>
#include <string>

#include "forge/base/result.h"

namespace forge::hub {

/// flock() on a file that is made for it and stays. The system lets go of it when the process ends,
/// however it does.
class FileLock {
 public:
  /// Nothing where somebody else holds it. Fails where the file cannot be made.
  [[nodiscard]] static Result<std::optional<FileLock>> try_take(const std::string& path);
  ~FileLock();
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace forge::hub
