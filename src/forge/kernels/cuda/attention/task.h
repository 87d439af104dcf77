// What the attention kernels read: queries, the paged cache, and who sees what. Plain data.
#pragma once

#include <cstdint>

namespace forge::kernels::cuda {

inline constexpr int kKvBlock = 16;  // tokens of a cache block: kBlockLen
inline constexpr int kKvTile =
    64;  // positions that are summed together; tiles are folded in ascending order

/// One layer's keys and values. A block of one head is contiguous: keys (kKvBlock, head_dim),
/// values (head_dim, kKvBlock), 16 bits each; blocks of a head lie block_stride elements apart.
/// head_dim is padded with zeros to what the kernels are built for.
struct KvLayer {
  uint16_t* keys = nullptr;
  uint16_t* values = nullptr;
  int64_t block_stride = 0;  // n_kv_heads * kKvBlock * head_dim
};

/// Some rows of the batch that belong to one sequence: queries row_begin .. row_end - 1 are its
/// last tokens.
struct AttentionRows {
  int32_t row_begin = 0;
  int32_t row_end = 0;
  int32_t kv_len = 0;       // with these rows
  int32_t first_block = 0;  // of its table, in AttentionTask::block_tables
};

struct AttentionTask {
  const uint16_t* q = nullptr;  // (n_tokens, n_heads, head_dim), turned
  KvLayer kv;
  const AttentionRows* sequences = nullptr;
  const int32_t* block_tables = nullptr;
  int32_t n_heads = 0;
  int32_t n_kv_heads = 0;
  int32_t window = 0;       // positions that a query sees, its own included; 0: all
  float scale_log2 = 0.0f;  // scale of the scores, times log2(e)
  uint16_t* out = nullptr;  // (n_tokens, out_stride): heads side by side, real_head_dim each
  int64_t out_stride = 0;
  int32_t real_head_dim = 0;
  /// Of a step whose sequences have more tiles than a block folds: what each tile gave.
  float* partials = nullptr;
};

}  // namespace forge::kernels::cuda
