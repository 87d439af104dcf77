// Packed matrices back to rows of 16 bits, by what products read them with. A warp takes one step
// of one row tile.
#include "forge/kernels/cuda/runtime/launch.h"
#include "forge/kernels/cuda/weights/fragments.h"
#include "forge/kernels/cuda/weights/pack.h"

namespace forge::kernels::cuda {
namespace {

constexpr int kUnpackWarps = 8;

template <typename Product, typename Weights>
FORGE_KERNEL(kUnpackWarps* kWarpLanes, 1)
unpack_steps(UnpackTask task) {
  let_successor_start();
  const int lane = lane_index();
  const int n_steps = task.from.n_steps();
  const int64_t index = int64_t{block_x()} * kUnpackWarps + warp_index();
  const int tile = static_cast<int>(index / n_steps);
  const int step = static_cast<int>(index % n_steps);
  wait_for_predecessor();
  if (tile * kRowTile >= task.n_rows) return;
  const LanePlace at{task.first_row / kRowTile + tile, step, n_steps, lane};
  const typename Weights::Raw raw = Weights::load(task.from, at);
  FORGE_UNROLL
  for (int group = 0; group < 2; ++group) {
    FragmentA a[2];
    Weights::template expand<Product>(raw, group, lane, a);
    FORGE_UNROLL
    for (int h = 0; h < 2; ++h) {
      const int row = tile * kRowTile + lane / 4 + 8 * h;
      if (row >= task.n_rows) continue;
      *reinterpret_cast<Words4*>(task.to + row * task.stride + step * kStepColumns + group * 32 +
                                 lane % 4 * 8) =
          Words4{{a[0].w[h], a[0].w[2 + h], a[1].w[h], a[1].w[2 + h]}};
    }
  }
}

}  // namespace

Status unpack(Stream& stream, const UnpackTask& task) {
  if (task.n_rows == 0) return {};
  const int64_t tiles = (int64_t{task.n_rows} + kRowTile - 1) / kRowTile;
  const int64_t warps = tiles * task.from.n_steps();
  return with_half(task.from.product_type, [&](auto product_type) {
    return with_weights<decltype(product_type)>(task.from.kind, [&](auto weights) {
      return launch(stream,
                    {.name = "unpack_steps",
                     .grid = {static_cast<int32_t>((warps + kUnpackWarps - 1) / kUnpackWarps)},
                     .n_threads = kUnpackWarps * kWarpLanes},
                    unpack_steps<decltype(product_type), decltype(weights)>, task);
    });
  });
}

}  // namespace forge::kernels::cuda
