// Buffers that the host fills and the device empties, one after another.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "forge/base/result.h"
#include "forge/kernels/cuda/runtime/memory.h"
#include "forge/kernels/cuda/runtime/stream.h"

namespace forge::models::cuda {

/// Each buffer has a twin on the device. One thread.
class PinnedRing {
 public:
  struct Buffer {
    std::byte* host = nullptr;
    std::byte* device = nullptr;
  };

  [[nodiscard]] static Result<PinnedRing> create(int32_t device, int64_t buffer_bytes);

  /// A buffer that the device does not read any more; waits for one.
  [[nodiscard]] Result<Buffer> take();
  /// What was queued since take() is the last that uses the buffer.
  [[nodiscard]] Status give(kernels::cuda::Stream& stream);

 private:
  static constexpr size_t kBuffers = 4;

  int64_t buffer_bytes_ = 0;
  size_t next_ = 0;
  kernels::cuda::PinnedMemory host_;
  kernels::cuda::DeviceMemory device_;
  std::array<kernels::cuda::Event, kBuffers> used_;
};

}  // namespace forge::models::cuda
