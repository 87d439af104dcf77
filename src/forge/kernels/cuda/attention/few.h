// Attention of a few rows of each sequence (decode), where reading keys and values is all the work.
//
// A warp takes one tile of 64 positions of one head of keys; a block's four warps take four
// neighbours, and blockIdx.z the next four. Where a sequence has no more than four tiles the block
// folds them and writes the result; otherwise each tile's sums go to memory and fold_tiles() folds
// them, in the same order.
//
//   grid (row groups, n_kv_heads, blocks of 4 tiles), shared memory: 4 x TileSums
#pragma once

#include "forge/kernels/cuda/attention/tile.h"

namespace forge::kernels::cuda {

inline constexpr int kFewAttentionWarps = 4;

/// Sums of 16 rows over one tile, in shared memory or in AttentionTask::partials.
template <int HeadDim>
struct TileSums {
  float o[16][HeadDim];
  float l[16];
  float m[16];
};

template <int HeadDim>
FORGE_DEVICE void store_sums(const RowSums<HeadDim>& sums, int lane, TileSums<HeadDim>& to) {
  FORGE_UNROLL
  for (int i = 0; i < HeadDim / 8; ++i) {
    FORGE_UNROLL
    for (int e = 0; e < 4; ++e) {
      to.o[lane / 4 + e / 2 * 8][i * 8 + lane % 4 * 2 + e % 2] = sums.o[i].v[e];
    }
  }
  if (lane % 4 == 0) {
    FORGE_UNROLL
    for (int row = 0; row < 2; ++row) {
      to.l[lane / 4 + 8 * row] = sums.l[row];
      to.m[lane / 4 + 8 * row] = sums.m[row];
    }
  }
}

/// Folds n_tiles tiles of one row and dimension; read(tile) gives {o, l, m}.
struct ElementSums {
  float o;
  float l;
  float m;
};
template <typename Read>
FORGE_DEVICE float fold_element(int n_tiles, Read read) {
  ElementSums sums{0.0f, 0.0f, -INFINITY};
  for (int tile = 0; tile < n_tiles; ++tile) {
    const ElementSums next = read(tile);
    const Fold fold(sums.m, next.m);
    sums = {fold(sums.o, next.o), fold(sums.l, next.l), fold.m};
  }
  return divide_fast(sums.o, sums.l);
}

/// What the rows of one entry are. Rows r of a group: token r / group, head r % group of the kv
/// head.
struct PackedRows {
  int group;
  int n_rows;
  int first_token;

  FORGE_DEVICE PackedRows(const AttentionTask& task, const AttentionRows& rows)
      : group(task.n_heads / task.n_kv_heads),
        n_rows((rows.row_end - rows.row_begin) * group),
        first_token(rows.row_begin) {}
  [[nodiscard]] FORGE_DEVICE int token(int row) const { return first_token + row / group; }
  [[nodiscard]] FORGE_DEVICE int head(int kv_head, int row) const {
    return kv_head * group + row % group;
  }
};

/// [from, to) of the row's token, whose position is kv_len - 1 for the entry's last one.
FORGE_DEVICE void see(const AttentionTask& task, const AttentionRows& rows, int token, int& from,
                      int& to) {
  to = rows.kv_len - (rows.row_end - 1 - token);
  from = task.window > 0 && to > task.window ? to - task.window : 0;
}

}  // namespace forge::kernels::cuda
