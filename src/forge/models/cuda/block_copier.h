// Copies of blocks of the KV cache, which the device makes itself.
#pragma once

#include <cstdint>
#include <span>

#include "forge/base/result.h"
#include "forge/cache/block_copy.h"
#include "forge/kernels/cuda/runtime/device.h"
#include "forge/kernels/cuda/runtime/memory.h"
#include "forge/kernels/cuda/runtime/stream.h"
#include "forge/models/cuda/decoder_shape.h"

namespace forge::models::cuda {

/// Movable; one thread.
class BlockCopier {
 public:
  [[nodiscard]] static Result<BlockCopier> create(int32_t device, const DecoderShape& shape);

  /// Queues the copies, one after another, in all layers of the pool. list: (n_sequences, 2) on the
  /// device, for the copier alone. Copies are rare: it waits for what was queued before.
  [[nodiscard]] Status queue(kernels::cuda::Stream& stream, const kernels::cuda::DeviceInfo& device,
                             std::span<const cache::BlockCopy> copies, std::byte* pool,
                             int32_t n_layers, int32_t* list) const;

 private:
  kernels::cuda::PinnedMemory staging_;  // the list, on the host
  size_t most_ = 0;                      // copies in it
  int64_t plane_bytes_ = 0;
  int64_t block_bytes_ = 0;
};

}  // namespace forge::models::cuda
