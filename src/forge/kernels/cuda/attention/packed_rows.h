// Which rows of the batch, heads and positions an entry of AttentionTask::sequences stands for.
#pragma once

#include "forge/kernels/cuda/attention/tile.h"

namespace forge::kernels::cuda {

/// Packed rows of an entry and kv head: row r is head r % group of token r / group.
struct PackedRows {
  int group;
  int n_rows;
  int first_token;
  int first_position;  // of first_token
  int window;

  FORGE_DEVICE PackedRows(const AttentionTask& task, const AttentionRows& entry)
      : group(task.heads.n_heads / task.heads.n_kv_heads),
        n_rows((entry.row_end - entry.row_begin) * group),
        first_token(entry.row_begin),
        first_position(entry.kv_len - (entry.row_end - entry.row_begin)),
        window(task.window) {}

  [[nodiscard]] FORGE_DEVICE int token(int row) const { return first_token + row / group; }
  [[nodiscard]] FORGE_DEVICE int position(int row) const { return first_position + row / group; }
  [[nodiscard]] FORGE_DEVICE int head(int kv_head, int row) const {
    return kv_head * group + row % group;
  }
  /// The first position that a row sees; its own is the last.
  [[nodiscard]] FORGE_DEVICE int from(int row) const {
    const int to = position(row) + 1;
    return window > 0 && to > window ? to - window : 0;
  }
  /// Of a lane that holds rows first + g and first + g + 8. Rows that are not there see what they
  /// would: nobody stores what becomes of it.
  [[nodiscard]] FORGE_DEVICE Seen seen(int first, int lane) const {
    Seen seen;
    FORGE_UNROLL
    for (int i = 0; i < 2; ++i) {
      const int row = first + lane / 4 + 8 * i;
      seen.from[i] = from(row);
      seen.to[i] = position(row) + 1;
    }
    return seen;
  }
};

/// Blocks of a tile that holds positions before `to`, the last of which is read instead of those
/// after it.
template <typename Product, KvType Type, int HeadDim>
FORGE_DEVICE TileBlocks find_blocks(const KvLayer& kv, const int32_t* block_table, int kv_head,
                                    int first_position, int to) {
  const int last = (to - 1) / kKvBlock;
  const int64_t head_at = int64_t{kv_head} * kv_head_block_bytes(Type, Product::kType, HeadDim);
  TileBlocks blocks;
  blocks.keys = kv.keys + head_at;
  blocks.values = kv.values + head_at;
  blocks.value_scales = blocks.values + kKvBlock * HeadDim * kv_code_bytes(Type, Product::kType);
  const auto units = static_cast<int32_t>(kv.block_bytes / 16);
  FORGE_UNROLL
  for (int i = 0; i < kTileBlocks; ++i) {
    const int block = first_position / kKvBlock + i;
    blocks.at[i] = block_table[block < last ? block : last] * units;
    blocks.scales_at[i] = blocks.at[i];
  }
  return blocks;
}

}  // namespace forge::kernels::cuda
