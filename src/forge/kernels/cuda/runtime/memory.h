// Memory of a device, and of the host where a device can reach it. Owners: moved, not copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "forge/base/result.h"

namespace forge::kernels::cuda {

/// One allocation on a device, 256-byte aligned. Its content is undefined (tests fill it with
/// 0xFF).
class DeviceMemory {
 public:
  DeviceMemory() = default;
  /// Fails where there is not enough, saying what for and how much is free.
  [[nodiscard]] static Result<DeviceMemory> allocate(int32_t device, int64_t bytes,
                                                     std::string_view what);

  [[nodiscard]] std::byte* data() const { return data_.get(); }
  [[nodiscard]] int64_t bytes() const { return bytes_; }

 private:
  struct Free {
    int32_t device;
    void operator()(std::byte* data) const;
  };
  std::unique_ptr<std::byte, Free> data_;
  int64_t bytes_ = 0;
};

/// Pinned memory of the host: copies from and to it run beside the host's work, and kernels may
/// write to it. Zeros at first.
class PinnedMemory {
 public:
  PinnedMemory() = default;
  [[nodiscard]] static Result<PinnedMemory> allocate(int32_t device, int64_t bytes,
                                                     std::string_view what);

  [[nodiscard]] std::byte* data() const { return data_.get(); }
  [[nodiscard]] int64_t bytes() const { return bytes_; }

 private:
  struct Free {
    int32_t device;
    void operator()(std::byte* data) const;
  };
  std::unique_ptr<std::byte, Free> data_;
  int64_t bytes_ = 0;
};

}  // namespace forge::kernels::cuda
