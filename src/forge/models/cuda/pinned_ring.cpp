#include "forge/models/cuda/pinned_ring.h"

#include <utility>

namespace forge::models::cuda {

using kernels::cuda::DeviceMemory;
using kernels::cuda::Event;
using kernels::cuda::PinnedMemory;

Result<PinnedRing> PinnedRing::create(int32_t device, int64_t buffer_bytes) {
  PinnedRing ring;
  ring.buffer_bytes_ = (buffer_bytes + 255) / 256 * 256;
  const int64_t bytes = ring.buffer_bytes_ * static_cast<int64_t>(kBuffers);
  FORGE_TRY(ring.host_, PinnedMemory::allocate(device, bytes, "the buffers weights pass through"));
  FORGE_TRY(ring.device_, DeviceMemory::allocate(device, bytes, "weights on their way"));
  for (Event& event : ring.used_) {
    FORGE_TRY(event, Event::create(device));
  }
  return ring;
}

Result<PinnedRing::Buffer> PinnedRing::take() {
  FORGE_TRY_STATUS(used_[next_].wait());
  const int64_t offset = static_cast<int64_t>(next_) * buffer_bytes_;
  return Buffer{host_.data() + offset, device_.data() + offset};
}

Status PinnedRing::give(kernels::cuda::Stream& stream) {
  FORGE_TRY_STATUS(used_[next_].record(stream));
  next_ = (next_ + 1) % kBuffers;
  return {};
}

}  // namespace forge::models::cuda
