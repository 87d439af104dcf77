// W x for a few tokens, where reading W is all the work.
//
// A block computes RowTiles row tiles for 8 TokenTiles tokens (blockIdx.y); its warps take one
// segment of K each (see packed_matrix.h), so that a block reads each weight once, and add their
// sums in shared memory. One warp more works out the norm meanwhile. Weights are fetched ahead of
// the kernel before this one in the stream, since nobody writes them.
//
//   shared memory: float sums[n_segments][RowTiles * 16][8 * TokenTiles], float inv_rms[8 *
//   TokenTiles]
#pragma once

#include "forge/kernels/cuda/matmul/finish.h"
#include "forge/kernels/cuda/weights/fragments.h"

namespace forge::kernels::cuda {

inline constexpr int kFewWarps = kMaxSegments + 1;

template <int RowTiles, int TokenTiles>
constexpr size_t few_shared_bytes() {
  return (size_t{kMaxSegments} * RowTiles * kRowTile + 1) * 8 * TokenTiles * sizeof(float);
}

/// Sums of one segment: what lane (g, t) holds of rows g, g + 8 and tokens 2t, 2t + 1.
template <typename Half, typename Weights, int RowTiles, int TokenTiles>
FORGE_DEVICE void sum_segment(const MatmulTask& task, int first_tile, int first_token, int begin,
                              int end, FragmentD (&sums)[RowTiles][TokenTiles]) {
  const int lane = lane_index();
  const int n_steps = task.weight.n_steps();
  const int n_row_tiles = task.weight.n_row_tiles();
  const auto load = [&](int tile, int step) {
    // The last block may have tiles past the end; they read the last one and write nothing.
    const int row_tile = first_tile + tile < n_row_tiles ? first_tile + tile : n_row_tiles - 1;
    return Weights::load(task.weight, {row_tile, step, n_steps, lane});
  };
  typename Weights::Raw ahead[Weights::kStages][RowTiles];
  FORGE_UNROLL
  for (int stage = 0; stage < Weights::kStages; ++stage) {
    FORGE_UNROLL
    for (int tile = 0; tile < RowTiles; ++tile) {
      if (begin + stage < end) ahead[stage][tile] = load(tile, begin + stage);
    }
  }
  wait_for_predecessor();
  for (int round = begin; round < end; round += Weights::kStages) {
    FORGE_UNROLL
    for (int stage = 0; stage < Weights::kStages; ++stage) {
      const int step = round + stage;
      if (step >= end) break;
      Words4 x[2][TokenTiles];
      FORGE_UNROLL
      for (int tile = 0; tile < TokenTiles; ++tile) {
        const int token = first_token + tile * 8 + lane / 4;
        const uint16_t* from = task.x + token * task.x_stride + step * kStepColumns + lane % 4 * 8;
        FORGE_UNROLL
        for (int group = 0; group < 2; ++group) {
          x[group][tile] = token < task.n_tokens ? load_as<Words4>(from + group * 32) : Words4{};
        }
      }
      FORGE_UNROLL
      for (int tile = 0; tile < RowTiles; ++tile) {
        FORGE_UNROLL
        for (int group = 0; group < 2; ++group) {
          FragmentA a[2];
          Weights::template expand<Half>(ahead[stage][tile], group, lane, a);
          FORGE_UNROLL
          for (int block = 0; block < 2; ++block) {
            FORGE_UNROLL
            for (int t = 0; t < TokenTiles; ++t) {
              const Words4& words = x[group][t];
              Half::mma(sums[tile][t], a[block],
                        FragmentB{{words.w[2 * block], words.w[2 * block + 1]}});
            }
          }
        }
        if (step + Weights::kStages < end) ahead[stage][tile] = load(tile, step + Weights::kStages);
      }
    }
  }
}

template <typename Half, typename Weights, int RowTiles, int TokenTiles>
FORGE_KERNEL(kFewWarps* kWarpLanes, 1)
matmul_few(MatmulTask task) {
  constexpr int kTokens = 8 * TokenTiles;
  constexpr int kRows = RowTiles * kRowTile;
  auto* sums = reinterpret_cast<float*>(shared_memory());
  float* inv_rms = sums + kMaxSegments * kRows * kTokens;
  const int lane = lane_index();
  const int warp = warp_index();
  const int first_tile = block_x() * RowTiles;
  const int first_token = block_y() * kTokens;
  const int n_steps = task.weight.n_steps();
  const int length = segment_steps(n_steps);
  const int n_segments = (n_steps + length - 1) / length;
  let_successor_start();

  if (warp == kMaxSegments) {
    wait_for_predecessor();
    for (int token = 0; token < kTokens && first_token + token < task.n_tokens; ++token) {
      const float value = inverse_rms(task.norm, first_token + token, lane);
      if (lane == 0) inv_rms[token] = value;
    }
  } else if (warp < n_segments) {
    FragmentD own[RowTiles][TokenTiles] = {};
    const int begin = warp * length;
    const int end = begin + length < n_steps ? begin + length : n_steps;
    sum_segment<Half, Weights>(task, first_tile, first_token, begin, end, own);
    FORGE_UNROLL
    for (int tile = 0; tile < RowTiles; ++tile) {
      FORGE_UNROLL
      for (int t = 0; t < TokenTiles; ++t) {
        FORGE_UNROLL
        for (int i = 0; i < 4; ++i) {
          const int row = tile * kRowTile + lane / 4 + i / 2 * 8;
          const int token = t * 8 + lane % 4 * 2 + i % 2;
          sums[(warp * kRows + row) * kTokens + token] = own[tile][t].v[i];
        }
      }
    }
  } else {
    wait_for_predecessor();  // what the end reads
  }
  sync_block();

  // A thread takes rows g and g + 8 of a tile for a token; g runs fastest.
  constexpr int kPairs = RowTiles * kTokens * 8;
  for (int first = 0; first < kPairs; first += kFewWarps * kWarpLanes) {
    const int pair = first + thread_index();
    const int g = pair % 8;
    const int token = pair / 8 % kTokens;
    const int tile = pair / 8 / kTokens;
    const bool is_there = pair < kPairs && first_token + token < task.n_tokens &&
                          first_tile + tile < task.weight.n_row_tiles();
    float upper = 0.0f;
    float lower = 0.0f;
    float scale = 1.0f;
    if (is_there) {
      const int at = (tile * kRowTile + g) * kTokens + token;
      for (int segment = 0; segment < n_segments; ++segment) {
        upper += sums[segment * kRows * kTokens + at];
        lower += sums[segment * kRows * kTokens + at + 8 * kTokens];
      }
      scale = inv_rms[token];
    }
    finish_pair<Half>(task, first_tile + tile, g, first_token + token, upper, lower, scale,
                      is_there);
  }
}

}  // namespace forge::kernels::cuda
