// Copies rows; a block each.
#include "forge/kernels/cuda/rows/gather.h"

#include "forge/kernels/cuda/device/memory.h"
#include "forge/kernels/cuda/runtime/launch.h"

namespace forge::kernels::cuda {
namespace {

constexpr int kThreads = 128;

FORGE_KERNEL(kThreads, 8) gather(GatherTask task) {
  wait_for_predecessor();
  let_successor_start();
  const int64_t to = block_x();
  const int64_t from = task.rows[to];
  const std::byte* x = static_cast<const std::byte*>(task.x) + from * task.row_bytes;
  std::byte* x_out = static_cast<std::byte*>(task.x_out) + to * task.row_bytes;
  for (int64_t i = int64_t{thread_index()} * 16; i < task.row_bytes; i += kThreads * 16) {
    *reinterpret_cast<Words4*>(x_out + i) = load_as<Words4>(x + i);
  }
  for (int64_t i = thread_index(); i < task.n_tiles; i += kThreads) {
    task.squares_out[to * task.n_tiles + i] = task.squares[from * task.n_tiles + i];
  }
}

}  // namespace

Status gather_rows(Stream& stream, const GatherTask& task) {
  return launch(stream, {.name = "gather", .grid = {task.n_rows}, .n_threads = kThreads}, gather,
                task);
}

}  // namespace forge::kernels::cuda
