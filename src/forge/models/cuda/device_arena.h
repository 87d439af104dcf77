// One allocation on a device, cut into pieces whose sizes are known beforehand.
#pragma once

#include <cstddef>
#include <cstdint>

#include "forge/base/check.h"

namespace forge::models::cuda {

/// Hands out pieces one after another, each aligned to 256 bytes. Without memory it only counts:
/// the code that lays a decoder out also plans its memory.
class DeviceArena {
 public:
  DeviceArena() = default;
  DeviceArena(std::byte* memory, int64_t bytes) : memory_(memory), capacity_(bytes) {}

  /// Null where the arena only counts.
  [[nodiscard]] std::byte* take(int64_t bytes) {
    constexpr int64_t kAlignment = 256;
    const int64_t at = used_;
    used_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
    if (memory_ == nullptr) return nullptr;
    FORGE_CHECK(used_ <= capacity_, "arena of {} bytes, {} wanted", capacity_, used_);
    return memory_ + at;
  }
  template <typename T>
  [[nodiscard]] T* take_array(int64_t n) {
    return reinterpret_cast<T*>(take(n * static_cast<int64_t>(sizeof(T))));
  }

  [[nodiscard]] int64_t used() const { return used_; }

 private:
  std::byte* memory_ = nullptr;
  int64_t capacity_ = 0;
  int64_t used_ = 0;
};

}  // namespace forge::models::cuda
