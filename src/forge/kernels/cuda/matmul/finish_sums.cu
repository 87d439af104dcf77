// A block has one token and kBlockTiles row tiles; a warp takes four tiles at a time, 256
// neighbouring bytes of sums.
#include "forge/kernels/cuda/matmul/finish_sums.h"

#include "forge/base/check.h"
#include "forge/kernels/cuda/device/memory.h"
#include "forge/kernels/cuda/matmul/finish.h"
#include "forge/kernels/cuda/runtime/launch.h"

namespace forge::kernels::cuda {
namespace {

constexpr int kSumsWarps = 8;
constexpr int kWarpTiles = kWarpLanes / 8;
/// Each warp has eight times four tiles, so that a token's 1 / rms, which every warp computes from
/// up to a thousand squares, is a small part of what it reads.
constexpr int kBlockTiles = kSumsWarps * kWarpTiles * 8;

template <typename Product>
FORGE_KERNEL(kSumsWarps* kWarpLanes, 4)
finish_rows(SumsTask sums) {
  let_successor_start();
  wait_for_predecessor();
  const int lane = lane_index();
  const int token = block_x();
  const int g = lane % 8;
  const int n_tiles = sums.n_rows / kRowTile;
  const int first = block_y() * kBlockTiles + warp_index() * kWarpTiles;
  const float inv_rms = token_scale<Product>(sums.task, token, lane).inv_rms;
  for (int i = 0; i < kBlockTiles; i += kSumsWarps * kWarpTiles) {
    const int tile = first + i + lane / 8;
    const bool is_there = tile < n_tiles;
    const float* const of_tile = sums.sums + token * sums.stride + tile * kRowTile + g;
    const float upper = is_there ? of_tile[0] : 0.0f;
    const float lower = is_there ? of_tile[8] : 0.0f;
    finish_pair<Product>(sums.task, sums.first_row / kRowTile + tile, g, token, upper, lower,
                         inv_rms, is_there);
  }
}

}  // namespace

Status finish_sums(Stream& stream, const SumsTask& sums) {
  FORGE_CHECK(sums.first_row % kRowTile == 0 && sums.n_rows % kRowTile == 0 &&
                  sums.task.x_rows == nullptr &&
                  sums.task.weight.product_type == ProductType::kBf16,
              "rows {} + {}", sums.first_row, sums.n_rows);
  const int32_t n_tiles = sums.n_rows / kRowTile;
  return launch(stream,
                {.name = "finish_sums",
                 .grid = {sums.task.n_tokens, (n_tiles + kBlockTiles - 1) / kBlockTiles},
                 .n_threads = kSumsWarps * kWarpLanes},
                finish_rows<Bf16>, sums);
}

}  // namespace forge::kernels::cuda
