// A thread takes 16 columns of a token, those that a lane of a product would: so it reads a table
// of any kind as products do.
#include "forge/kernels/cuda/embed/embed.h"

#include "forge/kernels/cuda/device/warp.h"
#include "forge/kernels/cuda/matmul/row_scale.h"
#include "forge/kernels/cuda/runtime/launch.h"
#include "forge/kernels/cuda/weights/fragments.h"

namespace forge::kernels::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kStepsPerBlock = kThreads / 4;

template <typename Half, typename Weights>
FORGE_KERNEL(kThreads, 1)
embed_tokens(EmbedTask task) {
  let_successor_start();
  wait_for_predecessor();
  const int token = block_x();
  const int t = thread_index() % 4;
  const int step = block_y() * kStepsPerBlock + thread_index() / 4;
  const int n_steps = task.table.n_steps();
  int row = task.tokens[token];
  if (row < 0) row = task.chosen[-1 - row];
  const int lane = row % 8 * 4 + t;
  const int half = row % kRowTile / 8;  // row g or g + 8 of the tile
  typename Weights::Raw raw;
  if (step < n_steps) raw = Weights::load(task.table, {row / kRowTile, step, n_steps, lane});
  FORGE_UNROLL
  for (int group = 0; group < 2; ++group) {
    const int column = step * kStepColumns + group * 32 + t * 8;
    const bool is_there = column < task.hidden_dim;
    float values[8] = {};
    if (is_there) {
      FragmentA a[2];
      Weights::template expand<Half>(raw, group, lane, a);
      float* h = task.h + token * task.h_stride + column;
      FORGE_UNROLL
      for (int i = 0; i < 4; ++i) {
        const FragmentA& block = a[i / 2];
        const uint32_t pair = half == 0 ? block.w[i % 2 * 2] : block.w[i % 2 * 2 + 1];
        h[2 * i] = values[2 * i] = Half::low(pair) * task.scale;
        h[2 * i + 1] = values[2 * i + 1] = Half::high(pair) * task.scale;
      }
    }
    float squares = 0.0f;
    FORGE_UNROLL
    for (int i = 0; i < 8; ++i) squares = fused(values[i], values[i], squares);
    squares = sum_lanes<2>(squares);  // two threads have 16 columns
    if (!is_there) continue;
    const float* weight = task.next.weight + column;
    const float scale = tile_scale<Half>(squares);
    FORGE_UNROLL
    for (int i = 0; i < 8; ++i) {
      values[i] *= weight[i];
      if constexpr (Half::kIsNarrow) values[i] *= scale;
    }
    Words4 scaled;
    FORGE_UNROLL
    for (int i = 0; i < 4; ++i) scaled.w[i] = Half::pack(values[2 * i], values[2 * i + 1]);
    *reinterpret_cast<Words4*>(task.next.scaled + token * task.next.stride + column) = scaled;
    if (t % 2 == 0) {
      task.next.squares[int64_t{token} * (task.hidden_dim / kRowTile) + column / kRowTile] =
          squares;
    }
  }
}

}  // namespace

Status embed(Stream& stream, const DeviceInfo&, const EmbedTask& task) {
  const int32_t chunks = (task.table.n_steps() + kStepsPerBlock - 1) / kStepsPerBlock;
  return with_half(task.table.half, [&](auto half) {
    return with_weights(task.table.kind, [&](auto weights) {
      return launch(
          stream,
          {.name = "embed_tokens", .grid = {task.n_tokens, chunks}, .n_threads = kThreads},
          embed_tokens<decltype(half), decltype(weights)>, task);
    });
  });
}

}  // namespace forge::kernels::cuda
