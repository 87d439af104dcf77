// Copies of cache blocks, queued by the host.
#include "forge/kernels/cuda/attention/copy_blocks.h"

#include "forge/kernels/cuda/attention/attention.h"
#include "forge/kernels/cuda/runtime/launch.h"

namespace forge::kernels::cuda {

Status copy_blocks(Stream& stream, const DeviceInfo&, const CopyBlocksTask& task) {
  if (task.n_copies == 0) return {};
  const int64_t n_pieces = task.block_bytes / 16;
  return launch(
      stream,
      {.name = "copy_blocks",
       .grid = {static_cast<int32_t>((n_pieces + kCopyThreads - 1) / kCopyThreads), task.n_planes},
       .n_threads = kCopyThreads},
      copy_cache_blocks, task);
}

}  // namespace forge::kernels::cuda
