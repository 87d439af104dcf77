// A thread takes those columns of a token that a lane of a product would of a step (16, or 8 of 4
// bytes): so it reads a table of any kind as products do.
#include "forge/kernels/cuda/embed/embed.h"

#include "forge/kernels/cuda/device/warp.h"
#include "forge/kernels/cuda/matmul/row_scale.h"
#include "forge/kernels/cuda/runtime/launch.h"
#include "forge/kernels/cuda/weights/fragments.h"

namespace forge::kernels::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kStepsPerBlock = kThreads / 4;

template <typename Product, typename Weights>
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
  constexpr int kOwn = kPerWords4<Product>;  // of a group
  constexpr int kSharing = kRowTile / kOwn;  // threads that have 16 columns
  FORGE_UNROLL
  for (int group = 0; group < 2; ++group) {
    const int column = (step * 2 + group) * 4 * kOwn + t * kOwn;
    const bool is_there = column < task.hidden_dim;
    float values[kOwn] = {};
    if (is_there) {
      FragmentA a[2];
      Weights::template expand<Product>(raw, group, lane, a);
      float* h = task.h + token * task.h_stride + column;
      FORGE_UNROLL
      for (int i = 0; i < kOwn; ++i) {
        const int word = i / Product::kPerWord;
        const FragmentA& block = a[word / 2];
        const uint32_t bits = half == 0 ? block.w[word % 2 * 2] : block.w[word % 2 * 2 + 1];
        h[i] = values[i] = from_word<Product>(bits, i % Product::kPerWord) * task.scale;
      }
    }
    float squares = 0.0f;
    FORGE_UNROLL
    for (int i = 0; i < kOwn; ++i) squares = fused(values[i], values[i], squares);
    squares = sum_lanes<kSharing>(squares);
    if (!is_there) continue;
    const float* weight = task.next.weight + column;
    const float scale = tile_scale<Product>(squares);
    FORGE_UNROLL
    for (int i = 0; i < kOwn; ++i) {
      values[i] *= weight[i];
      if constexpr (Product::kIsNarrow) values[i] *= scale;
    }
    *reinterpret_cast<Words4*>(static_cast<Element<Product>*>(task.next.scaled) +
                               token * task.next.stride + column) = to_words4<Product>(values);
    if (t % kSharing == 0) {
      task.next.squares[int64_t{token} * (task.hidden_dim / kRowTile) + column / kRowTile] =
          squares;
    }
  }
}

}  // namespace

Status embed(Stream& stream, const DeviceInfo&, const EmbedTask& task) {
  const int32_t chunks = (task.table.n_steps() + kStepsPerBlock - 1) / kStepsPerBlock;
  return with_product_type(task.table.product_type, [&](auto product_type) {
    return with_weights<decltype(product_type)>(task.table.kind, [&](auto weights) {
      return launch(
          stream, {.name = "embed_tokens", .grid = {task.n_tokens, chunks}, .n_threads = kThreads},
          embed_tokens<decltype(product_type), decltype(weights)>, task);
    });
  });
}

}  // namespace forge::kernels::cuda
