// W x for many tokens, where the matrix units are all the work.
//
// A block has RowWarps * WarpRowTiles row tiles and TokenWarps * WarpTokenTiles token tiles, a warp
// WarpRowTiles times WarpTokenTiles of them. Steps of W and x lie in a ring in shared memory, in
// the order in which lanes want them: 16 bytes a lane, so that no access meets a bank twice. x and
// plain weights are copied asynchronously kRing - 1 steps ahead; packed weights come through
// registers, where each is expanded once for the whole block. Sums are those of matmul_few bit for
// bit: the same matrix instructions in the same order, each segment of K from zero.
//
//   a stage: Words4 w[row tile][group][row g, g + 8][lane], Words4 x[token tile][group][lane]
//   afterwards: float sums[rows][kSumStride];  beside both: float inv_rms[tokens],
//   int row_exponent[tokens] (f16)
//
// Hopper's wgmma would take w and x from the same ring (its own order within a stage); but its sums
// round otherwise, so the few tokens' kernel would have to follow.
#pragma once

#include "forge/kernels/cuda/matmul/few.h"

namespace forge::kernels::cuda {

template <int RowWarps, int TokenWarps, int WarpRowTiles, int WarpTokenTiles>
struct ManyShape {
  static constexpr int kRowWarps = RowWarps;
  static constexpr int kWarpRowTiles = WarpRowTiles;
  static constexpr int kWarpTokenTiles = WarpTokenTiles;
  static constexpr int kWarps = RowWarps * TokenWarps;
  static constexpr int kRowTiles = RowWarps * WarpRowTiles;
  static constexpr int kTokenTiles = TokenWarps * WarpTokenTiles;
  static constexpr int kTokens = 8 * kTokenTiles;
  static_assert(kRowTiles == kWarps, "a warp brings one row tile of W");
  static constexpr int kRing = 3;
  static constexpr int kWordsOfW = kRowTiles * 4 * kWarpLanes;  // Words4 a stage
  static constexpr int kWordsOfX = kTokenTiles * 2 * kWarpLanes;
  static constexpr int kStage = kWordsOfW + kWordsOfX;
  static constexpr size_t kRingBytes = sizeof(Words4) * kRing * kStage;
  static_assert(kRingBytes >= sizeof(float) * kRowTiles * kRowTile * kSumStride<kTokens>);
  static constexpr size_t kSharedBytes = kRingBytes + 2 * sizeof(float) * kTokens;
};
/// 128 rows, 128 tokens, 96 KB: what compute capability 8.6 and 12.0 have room for once.
using ManyLarge = ManyShape<2, 4, 4, 4>;
/// 64 rows, 64 tokens, 48 KB.
using ManySmall = ManyShape<2, 2, 2, 4>;

/// What a warp brings to the ring: one row tile of W, some token tiles of x.
template <typename Product, typename Weights, typename Shape>
struct ManyLoader {
  static constexpr bool kCopiesW = Weights::kIsPlain;
  static constexpr int kTiles = Shape::kTokenTiles / Shape::kWarps;

  const MatmulTask& task;
  Words4* ring;
  int row_tile;
  int x_rows[kTiles];
  typename Weights::Raw raw;  // of the step that store_w() writes next
  int row_exponents[kTiles];  // f16

  [[nodiscard]] FORGE_DEVICE Words4* stage(int step) const {
    return ring + step % Shape::kRing * Shape::kStage;
  }
  [[nodiscard]] FORGE_DEVICE LanePlace place(int step) const {
    return {row_tile, step, task.weight.n_steps(), lane_index()};
  }
  FORGE_DEVICE void copy_w(int step) const {
    Words4* to = stage(step) + warp_index() * 4 * kWarpLanes + lane_index();
    FORGE_UNROLL
    for (int i = 0; i < 4; ++i) {
      copy_async16(to + i * kWarpLanes, PlainRows::address(task.weight, place(step), i / 2, i % 2),
                   true);
    }
  }
  FORGE_DEVICE void load_w(int step) {
    if (step < task.weight.n_steps()) raw = Weights::load(task.weight, place(step));
  }
  FORGE_DEVICE void store_w(int step) const {
    Words4* to = stage(step) + warp_index() * 4 * kWarpLanes + lane_index();
    FORGE_UNROLL
    for (int group = 0; group < 2; ++group) {
      FragmentA a[2];
      Weights::template expand<Product>(raw, group, lane_index(), a);
      FORGE_UNROLL
      for (int h = 0; h < 2; ++h) {
        to[(2 * group + h) * kWarpLanes] =
            Words4{{a[0].w[h], a[0].w[2 + h], a[1].w[h], a[1].w[2 + h]}};
      }
    }
  }
  FORGE_DEVICE void copy_x(int step) const {
    Words4* to =
        stage(step) + Shape::kWordsOfW + warp_index() * kTiles * 2 * kWarpLanes + lane_index();
    FORGE_UNROLL
    for (int i = 0; i < kTiles * 2; ++i) {
      const int row = x_rows[i / 2];
      const std::byte* from = static_cast<const std::byte*>(task.x) +
                              int64_t{row < 0 ? 0 : row} * task.x_stride *
                                  static_cast<int64_t>(sizeof(Element<Product>)) +
                              step * kStepBytes + i % 2 * kGroupBytes + lane_index() % 4 * 16;
      copy_async16(to + i * kWarpLanes, from, row >= 0);
    }
  }
  /// What this thread has copied, and nobody has read.
  FORGE_DEVICE void bring_x_to_rows(int step) const {
    Words4* at =
        stage(step) + Shape::kWordsOfW + warp_index() * kTiles * 2 * kWarpLanes + lane_index();
    FORGE_UNROLL
    for (int i = 0; i < kTiles * 2; ++i) {
      const int column = step * kStepColumns + i % 2 * 32 + lane_index() % 4 * 8;
      Words4 x = at[i * kWarpLanes];
      bring_to_row<Product>(task, x, x_rows[i / 2], column, row_exponents[i / 2]);
      at[i * kWarpLanes] = x;
    }
  }
};

/// One step of a warp out of the ring: sums += W x.
template <typename Product, typename Shape>
FORGE_DEVICE void multiply_stage(const Words4* stage, int row_warp, int token_warp,
                                 FragmentD (&sums)[Shape::kWarpRowTiles][Shape::kWarpTokenTiles]) {
  const Words4* w = stage + row_warp * Shape::kWarpRowTiles * 4 * kWarpLanes + lane_index();
  const Words4* x = stage + Shape::kWordsOfW +
                    token_warp * Shape::kWarpTokenTiles * 2 * kWarpLanes + lane_index();
  FORGE_UNROLL
  for (int group = 0; group < 2; ++group) {
    Words4 b[Shape::kWarpTokenTiles];
    FORGE_UNROLL
    for (int t = 0; t < Shape::kWarpTokenTiles; ++t) b[t] = x[(2 * t + group) * kWarpLanes];
    FORGE_UNROLL
    for (int tile = 0; tile < Shape::kWarpRowTiles; ++tile) {
      PlainRows::Raw raw;
      FORGE_UNROLL
      for (int h = 0; h < 2; ++h) raw.row[group][h] = w[(4 * tile + 2 * group + h) * kWarpLanes];
      FragmentA a[2];
      PlainRows::expand<Product>(raw, group, lane_index(), a);
      FORGE_UNROLL
      for (int block = 0; block < 2; ++block) {
        FORGE_UNROLL
        for (int t = 0; t < Shape::kWarpTokenTiles; ++t) {
          Product::mma(sums[tile][t], a[block],
                       FragmentB{{b[t].w[2 * block], b[t].w[2 * block + 1]}});
        }
      }
    }
  }
}

/// total += sums; sums = 0.
template <int RowTiles, int TokenTiles>
FORGE_DEVICE void fold(FragmentD (&total)[RowTiles][TokenTiles],
                       FragmentD (&sums)[RowTiles][TokenTiles]) {
  FORGE_UNROLL
  for (int i = 0; i < RowTiles * TokenTiles * 4; ++i) {
    float& sum = sums[i / 4 / TokenTiles][i / 4 % TokenTiles].v[i % 4];
    total[i / 4 / TokenTiles][i / 4 % TokenTiles].v[i % 4] += sum;
    sum = 0.0f;
  }
}

template <typename Product, typename Weights, typename Shape>
FORGE_KERNEL(Shape::kWarps* kWarpLanes, 1)
matmul_many(MatmulTask task) {
  using Loader = ManyLoader<Product, Weights, Shape>;
  constexpr int kAhead = Shape::kRing - 1;
  auto* ring = reinterpret_cast<Words4*>(shared_memory());
  auto* inv_rms = reinterpret_cast<float*>(shared_memory() + Shape::kRingBytes);
  auto* exponents = reinterpret_cast<int*>(inv_rms + Shape::kTokens);
  const int warp = warp_index();
  const int row_warp = warp % Shape::kRowWarps;
  const int token_warp = warp / Shape::kRowWarps;
  const int n_steps = task.weight.n_steps();
  const int length = segment_steps(n_steps);
  const int n_row_tiles = task.weight.n_row_tiles();
  const BlockPlace at{block_y() * Shape::kRowTiles, block_x() * Shape::kTokens};
  let_successor_start();

  // Tiles past the end read the last one and write nothing.
  const int row_tile = at.first_tile + warp < n_row_tiles ? at.first_tile + warp : n_row_tiles - 1;
  Loader loader{task, ring, row_tile, {}, {}, {}};
  if constexpr (Loader::kCopiesW) {
    for (int step = 0; step < kAhead && step < n_steps; ++step) loader.copy_w(step);
  } else {
    loader.load_w(0);
  }
  wait_for_predecessor();
  FORGE_UNROLL
  for (int i = 0; i < Loader::kTiles; ++i) {
    const int tile = warp * Loader::kTiles + i;
    loader.x_rows[i] = row_of_x(task, at.first_token + tile * 8 + lane_index() / 4);
  }
  FORGE_UNROLL
  for (int step = 0; step < kAhead; ++step) {
    if (step < n_steps) loader.copy_x(step);
    commit_copies();  // the first one's group has all of W
  }
  if constexpr (!Loader::kCopiesW) {
    loader.store_w(0);
    loader.load_w(1);
  }
  FORGE_UNROLL
  for (int token = 0; token < Shape::kTokens; token += Shape::kWarps) {
    const TokenScale scale =
        token_scale<Product>(task, at.first_token + token + warp, lane_index());
    if (lane_index() != 0) continue;
    inv_rms[token + warp] = scale.inv_rms;
    if constexpr (Product::kIsNarrow) exponents[token + warp] = scale.row_exponent;
  }
  if constexpr (Product::kIsNarrow) {
    sync_block();
    FORGE_UNROLL
    for (int i = 0; i < Loader::kTiles; ++i) {
      loader.row_exponents[i] = exponents[(warp * Loader::kTiles + i) * 8 + lane_index() / 4];
    }
  }

  FragmentD total[Shape::kWarpRowTiles][Shape::kWarpTokenTiles] = {};
  FragmentD sums[Shape::kWarpRowTiles][Shape::kWarpTokenTiles] = {};
  int segment_end = length;
  for (int step = 0; step < n_steps; ++step) {
    wait_copies<kAhead - 1>();
    if constexpr (Product::kIsNarrow) {
      if (task.norm.squares != nullptr) loader.bring_x_to_rows(step);
    }
    sync_block();  // step has come for all, and nobody is in step - 1 any more
    if (step + kAhead < n_steps) {
      if constexpr (Loader::kCopiesW) loader.copy_w(step + kAhead);
      loader.copy_x(step + kAhead);
    }
    commit_copies();
    if constexpr (!Loader::kCopiesW) {
      if (step + 1 < n_steps) loader.store_w(step + 1);
      loader.load_w(step + 2);
    }
    multiply_stage<Product, Shape>(loader.stage(step), row_warp, token_warp, sums);
    if (step + 1 == segment_end || step + 1 == n_steps) {
      fold(total, sums);
      segment_end += length;
    }
  }
  sync_block();

  auto* all = reinterpret_cast<float*>(ring);
  store_sums<Shape::kWarpRowTiles, Shape::kWarpTokenTiles, Shape::kTokens>(
      total, all + row_warp * Shape::kWarpRowTiles * kRowTile * kSumStride<Shape::kTokens> +
                 token_warp * Shape::kWarpTokenTiles * 8);
  sync_block();
  finish_block<Product, Shape::kRowTiles, Shape::kTokens>(task, at, all, 1, inv_rms, warp,
                                                          Shape::kWarps);
}

}  // namespace forge::kernels::cuda
