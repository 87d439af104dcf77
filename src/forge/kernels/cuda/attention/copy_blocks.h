// Whole cache blocks to other places, in all layers.
//
// A thread takes 16 bytes of the block of one plane and goes through all copies in their order, so
// that chains (a to b, then b to c) need no barrier: the bytes of other threads never meet its own.
//
//   grid (16-byte pieces of a block / threads, n_planes)
#pragma once

#include "forge/kernels/cuda/attention/task.h"
#include "forge/kernels/cuda/device/memory.h"

namespace forge::kernels::cuda {

inline constexpr int kCopyThreads = 128;

FORGE_KERNEL(kCopyThreads, 1) copy_cache_blocks(CopyBlocksTask task) {
  let_successor_start();
  wait_for_predecessor();
  const int64_t at = (int64_t{block_x()} * kCopyThreads + thread_index()) * 16;
  if (at >= task.block_bytes) return;
  std::byte* plane = task.pool + block_y() * task.plane_bytes + at;
  for (int i = 0; i < task.n_copies; ++i) {
    const Words2 copy = load_as<Words2>(task.copies + 2 * i);
    const auto from = static_cast<int32_t>(copy.w[0]);
    const auto to = static_cast<int32_t>(copy.w[1]);
    if (from < 0) continue;
    *reinterpret_cast<Words4*>(plane + to * task.block_bytes) =
        load_as<Words4>(plane + from * task.block_bytes);
  }
}

}  // namespace forge::kernels::cuda
