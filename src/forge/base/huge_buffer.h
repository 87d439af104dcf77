// Large zeroed memory in huge pages: weights, KV cache, scratch.
#pragma once

#include <cstddef>

#include "forge/base/result.h"

namespace forge {

/// Owns anonymous memory, zero at first. Aligned to 2 MiB where it is at least that large and to a
/// page (4 KiB) otherwise; transparent huge pages are asked for. A page costs memory only once it
/// is touched, and should first be touched by the thread that will read it. The end is rounded up
/// to small pages only, so that many buffers do not waste 1 MiB each. Movable, the bytes stay where
/// they are. The owner says who may read and write.
///
/// Under AddressSanitizer the bytes after the end are guarded, 64 at least.
class HugeBuffer {
 public:
  /// Fails where the system has no room (or no address space) for it. 0 bytes are fine.
  [[nodiscard]] static Result<HugeBuffer> allocate(size_t bytes);

  HugeBuffer() = default;
  HugeBuffer(HugeBuffer&& other) noexcept;
  HugeBuffer& operator=(HugeBuffer&& other) noexcept;
  HugeBuffer(const HugeBuffer&) = delete;
  HugeBuffer& operator=(const HugeBuffer&) = delete;
  ~HugeBuffer();

  [[nodiscard]] std::byte* data() { return data_; }
  [[nodiscard]] const std::byte* data() const { return data_; }
  /// The size asked for.
  [[nodiscard]] size_t bytes() const { return bytes_; }

 private:
  std::byte* data_ = nullptr;
  size_t bytes_ = 0;
  size_t mapped_bytes_ = 0;
};

}  // namespace forge
