// W x for a few tokens, where reading W is all the work.
//
// A block has 8 TokenTiles tokens (blockIdx.y) and goes through groups of RowTiles row tiles
// (blockIdx.x, then on by the grid's width). Its 8 warps take one segment of K each (see
// packed_matrix.h), so that the block reads each weight once, and leave their sums in shared memory
// for one of them in turn, or for all where there is much to finish. Each warp always has its next
// kStages steps of weights on their way, across the groups' ends too; the first ones are fetched
// ahead of the kernel before this one in the stream, since nobody writes weights.
//
//   shared memory: float sums[kBuffers][kMaxSegments][rows][kSumStride], float inv_rms[tokens],
//   int row_exponent[tokens] (f16)
#pragma once

#include "forge/kernels/cuda/matmul/finish.h"
#include "forge/kernels/cuda/weights/fragments.h"

namespace forge::kernels::cuda {

inline constexpr int kFewWarps = kMaxSegments;

template <typename Product, typename Weights, int RowTiles, int TokenTiles>
struct FewShape {
  static constexpr int kTokens = 8 * TokenTiles;
  static constexpr int kSums = kMaxSegments * RowTiles * kRowTile * kSumStride<kTokens>;
  /// One warp finishes a group of tiles while the others read the next.
  static constexpr bool kOneFinishes = RowTiles * TokenTiles <= 2;
  static constexpr int kBuffers = kOneFinishes ? 2 : 1;
  /// As many as the registers hold without spilling.
  static constexpr int kStages = Weights::kStages -
                                 (RowTiles > 1 ? (Product::kIsSplit ? 2 : 1) : 0) -
                                 (RowTiles * TokenTiles == 4 && Weights::kStages > 3 ? 1 : 0);
  static constexpr size_t kSharedBytes = (size_t{kBuffers} * kSums + 2 * kTokens) * sizeof(float);
  /// Blocks of a processor, which bounds registers: 128 for two, 255 for one.
  static constexpr int kBlocks = TokenTiles <= 2 ? 2 : 1;
};

/// One step of a warp: sums += W x.
template <typename Product, typename Weights, int RowTiles, int TokenTiles>
FORGE_DEVICE void multiply_step(const MatmulTask& task,
                                const typename Weights::Raw (&raw)[RowTiles],
                                const int (&x_rows)[TokenTiles], const int* row_exponents, int step,
                                FragmentD (&sums)[RowTiles][TokenTiles]) {
  const int lane = lane_index();
  const std::byte* column =
      static_cast<const std::byte*>(task.x) + step * kStepBytes + lane % 4 * 16;
  const int64_t stride = task.x_stride * static_cast<int64_t>(sizeof(Element<Product>));
  FORGE_UNROLL
  for (int group = 0; group < 2; ++group) {
    Words4 x[TokenTiles];
    FORGE_UNROLL
    for (int t = 0; t < TokenTiles; ++t) {
      x[t] = x_rows[t] >= 0 ? load_as<Words4>(column + x_rows[t] * stride + group * kGroupBytes)
                            : Words4{};
    }
    FORGE_UNROLL
    for (int t = 0; t < TokenTiles; ++t) {
      bring_to_row<Product>(task, x[t], x_rows[t], step * kStepColumns + group * 32 + lane % 4 * 8,
                            Product::kIsNarrow ? row_exponents[t * 8 + lane / 4] : 0);
    }
    FORGE_UNROLL
    for (int tile = 0; tile < RowTiles; ++tile) {
      FragmentA a[2];
      Weights::template expand<Product>(raw[tile], group, lane, a);
      FORGE_UNROLL
      for (int block = 0; block < 2; ++block) {
        FORGE_UNROLL
        for (int t = 0; t < TokenTiles; ++t) {
          Product::mma(sums[tile][t], a[block],
                       FragmentB{{x[t].w[2 * block], x[t].w[2 * block + 1]}});
        }
      }
    }
  }
}

/// Where a warp's sums go: lane (g, t) has rows g, g + 8 and tokens 2t, 2t + 1 of each tile.
template <int RowTiles, int TokenTiles, int Tokens>
FORGE_DEVICE void store_sums(const FragmentD (&own)[RowTiles][TokenTiles], float* sums) {
  const int lane = lane_index();
  FORGE_UNROLL
  for (int tile = 0; tile < RowTiles; ++tile) {
    FORGE_UNROLL
    for (int t = 0; t < TokenTiles; ++t) {
      FORGE_UNROLL
      for (int i = 0; i < 4; ++i) {
        const int row = tile * kRowTile + lane / 4 + i / 2 * 8;
        sums[row * kSumStride<Tokens> + t * 8 + lane % 4 * 2 + i % 2] = own[tile][t].v[i];
      }
    }
  }
}

template <typename Product, typename Weights, int RowTiles, int TokenTiles>
FORGE_KERNEL(kFewWarps* kWarpLanes, (FewShape<Product, Weights, RowTiles, TokenTiles>::kBlocks))
matmul_few(MatmulTask task) {
  using Shape = FewShape<Product, Weights, RowTiles, TokenTiles>;
  constexpr int kStages = Shape::kStages;
  auto* sums = reinterpret_cast<float*>(shared_memory());
  float* inv_rms = sums + Shape::kBuffers * Shape::kSums;
  auto* exponents = reinterpret_cast<int*>(inv_rms + Shape::kTokens);
  const int lane = lane_index();
  const int warp = warp_index();
  const int n_row_tiles = task.weight.n_row_tiles();
  const int n_groups = (n_row_tiles + RowTiles - 1) / RowTiles;
  const int n_steps = task.weight.n_steps();
  const int length = segment_steps(n_steps);
  const int n_segments = (n_steps + length - 1) / length;
  const int first_token = block_y() * Shape::kTokens;
  let_successor_start();

  // Empty for the warps past the last segment.
  const int begin = warp * length < n_steps ? warp * length : n_steps;
  const int end = begin + length < n_steps ? begin + length : n_steps;
  typename Weights::Raw ahead[kStages][RowTiles];
  const auto fetch = [&](int group, int step, typename Weights::Raw(&to)[RowTiles]) {
    if (group >= n_groups || step >= end) return;
    FORGE_UNROLL
    for (int tile = 0; tile < RowTiles; ++tile) {
      // The last group may have tiles past the end; they read the last one and write nothing.
      const int row_tile = group * RowTiles + tile;
      to[tile] = Weights::load(
          task.weight, {row_tile < n_row_tiles ? row_tile : n_row_tiles - 1, step, n_steps, lane});
    }
  };
  FORGE_UNROLL
  for (int stage = 0; stage < kStages; ++stage) fetch(block_x(), begin + stage, ahead[stage]);
  wait_for_predecessor();

  int x_rows[TokenTiles];
  bool has_tokens = false;
  FORGE_UNROLL
  for (int t = 0; t < TokenTiles; ++t) {
    x_rows[t] = row_of_x(task, first_token + t * 8 + lane / 4);
    has_tokens = has_tokens || x_rows[t] >= 0;
  }
  if (ballot(has_tokens) == 0) return;  // all warps see the same tokens
  FORGE_UNROLL
  for (int t = 0; t < TokenTiles; ++t) {
    const int token = t * 8 + warp;
    const TokenScale scale = token_scale<Product>(task, first_token + token, lane);
    if (lane != 0) continue;
    inv_rms[token] = scale.inv_rms;
    if constexpr (Product::kIsNarrow) exponents[token] = scale.row_exponent;
  }
  if constexpr (Product::kIsNarrow) sync_block();

  int turn = 0;
  for (int group = block_x(); group < n_groups; group += grid_x(), ++turn) {
    float* of_group = sums + turn % Shape::kBuffers * Shape::kSums;
    if (begin < end) {
      FragmentD own[RowTiles][TokenTiles] = {};
      for (int round = begin; round < end; round += kStages) {
        const bool is_last = round + kStages >= end;
        const int next_group = is_last ? group + grid_x() : group;
        const int next_round = is_last ? begin : round + kStages;
        FORGE_UNROLL
        for (int stage = 0; stage < kStages; ++stage) {
          if (round + stage < end) {
            multiply_step<Product, Weights>(task, ahead[stage], x_rows, exponents, round + stage,
                                            own);
          }
          fetch(next_group, next_round + stage, ahead[stage]);
        }
      }
      store_sums<RowTiles, TokenTiles, Shape::kTokens>(
          own, of_group + warp * (Shape::kSums / kMaxSegments));
    }
    sync_block();
    const BlockPlace at{group * RowTiles, first_token};
    if constexpr (Shape::kOneFinishes) {
      // The others come back to this buffer only after they have met the finisher once more.
      if (warp == turn % kFewWarps) {
        finish_block<Product, RowTiles, Shape::kTokens>(task, at, of_group, n_segments, inv_rms, 0,
                                                        1);
      }
    } else {
      finish_block<Product, RowTiles, Shape::kTokens>(task, at, of_group, n_segments, inv_rms, warp,
                                                      kFewWarps);
      sync_block();
    }
  }
}

}  // namespace forge::kernels::cuda
