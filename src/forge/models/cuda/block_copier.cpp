#include "forge/models/cuda/block_copier.h"

#include <algorithm>

#include "forge/kernels/cuda/attention/attention.h"

namespace forge::models::cuda {

Result<BlockCopier> BlockCopier::create(int32_t device, const DecoderShape& shape) {
  BlockCopier copier;
  copier.most_ = static_cast<size_t>(shape.n_sequences);
  copier.plane_bytes_ = shape.kv_plane_bytes;
  copier.block_bytes_ = shape.kv_block_bytes;
  FORGE_TRY(copier.staging_,
            kernels::cuda::PinnedMemory::allocate(
                device, int64_t{shape.n_sequences} * 2 * sizeof(int32_t), "a list"));
  return copier;
}

Status BlockCopier::queue(kernels::cuda::Stream& stream, const kernels::cuda::DeviceInfo& device,
                          std::span<const cache::BlockCopy> copies, std::byte* pool,
                          int32_t n_layers, int32_t* list) const {
  auto* staged = reinterpret_cast<int32_t*>(staging_.data());
  while (!copies.empty()) {
    const auto some = copies.first(std::min(copies.size(), most_));
    copies = copies.subspan(some.size());
    // What was queued before must have read the list.
    FORGE_TRY_STATUS(stream.synchronize());
    for (size_t i = 0; i < some.size(); ++i) {
      staged[2 * i] = some[i].from;
      staged[2 * i + 1] = some[i].to;
    }
    FORGE_TRY_STATUS(
        stream.copy(list, staged, static_cast<int64_t>(some.size() * 2 * sizeof(int32_t))));
    FORGE_TRY_STATUS(kernels::cuda::copy_blocks(stream, device,
                                                {.pool = pool,
                                                 .n_planes = 2 * n_layers,
                                                 .plane_bytes = plane_bytes_,
                                                 .block_bytes = block_bytes_,
                                                 .copies = list,
                                                 .n_copies = static_cast<int32_t>(some.size())}));
  }
  return {};
}

}  // namespace forge::models::cuda
