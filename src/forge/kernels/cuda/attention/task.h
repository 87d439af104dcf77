// What the attention kernels are told. Plain data, by value in recorded graphs: pointers and bounds
// are fixed, what changes from step to step lies in the device memory that they point to.
#pragma once

#include <cstdint>

#include "forge/kernels/cuda/attention/kv_cache.h"

namespace forge::kernels::cuda {

/// The result of the QKV product and what is done to it: norms of the heads of q and k (Qwen3
/// report, arXiv:2505.09388), then RoPE (Su et al. 2021, arXiv:2104.09864).
struct QkvRows {
  const float* qkv = nullptr;  // (n_tokens, stride): heads of q, of k, of v, head_dim each
  int64_t stride = 0;
  const float* q_norm = nullptr;  // (head_dim) or none
  const float* k_norm = nullptr;
  float norm_eps = 0.0f;
  int32_t rotary_dim = 0;    // leading dimensions of a head that turn; even
  bool turns_pairs = false;  // (2i, 2i + 1) together instead of (i, i + rotary_dim / 2)
  /// (n_positions, rotary_dim / 2, 2): cosine and sine, attention_scale included. 8-byte aligned.
  const float* angles = nullptr;
  /// Likewise by the long factors, for tokens whose is_long (n_tokens) is not 0; longrope only.
  const float* long_angles = nullptr;
  const uint8_t* is_long = nullptr;
};

struct HeadShape {
  int32_t n_heads = 0;
  int32_t n_kv_heads = 0;  // divides n_heads
  int32_t head_dim = 0;    // the model's; a multiple of 4, at most kMaxHeadDim
};

struct RopeAppendTask {
  HeadShape heads = {};
  QkvRows rows = {};
  int32_t n_tokens = 0;
  const int32_t* positions = nullptr;  // (n_tokens); negative: the row is not there
  /// (n_tokens): where the block table of the token's sequence starts in block_tables, as
  /// AttentionRows::first_block.
  const int32_t* first_blocks = nullptr;
  const int32_t* block_tables = nullptr;
  KvLayer kv = {};
  /// (n_tokens, n_heads, padded_head_dim) in the type of products (kv.product_type), 16-byte
  /// aligned
  void* q = nullptr;
};

/// Some rows of the batch that belong to one sequence: [row_begin, row_end) are the queries of the
/// positions that end with kv_len - 1. None (row_begin == row_end): nothing is done.
struct AttentionRows {
  int32_t row_begin = 0;
  int32_t row_end = 0;
  int32_t kv_len = 0;       // tokens in the cache, these rows included
  int32_t first_block = 0;  // of the sequence's table, in block_tables
};

/// What tiles leave for the block that folds them. One for all layers and steps of a stream.
struct AttentionWorkspace {
  float* partials = nullptr;    // 16-byte aligned
  int64_t n_partials = 0;       // floats
  int32_t* counters = nullptr;  // zeros at first, and zeros again after every kernel
  int64_t n_counters = 0;
};

struct AttentionTask {
  HeadShape heads = {};
  /// (n_tokens, n_heads, padded_head_dim), turned: what rope_append left. None: the kernel turns
  /// queries and appends keys and values itself, from `rows`. Then a sequence may stand in
  /// one entry only, and max_rows must be small: it is made for decoding.
  const void* q = nullptr;
  QkvRows rows = {};
  KvLayer kv = {};

  const AttentionRows* sequences = nullptr;  // (n_sequences)
  /// Entries of blocks that no row of a sequence sees are not read where they fill whole spans of
  /// 256 positions.
  const int32_t* block_tables = nullptr;
  int32_t n_sequences = 0;
  int32_t max_rows = 0;    // no entry has more rows
  int32_t max_kv_len = 0;  // nor a larger kv_len

  int32_t window = 0;  // positions that a query sees, its own included; 0: all
  float scale = 0.0f;  // of the scores: 1 / sqrt(head_dim)
  /// (n_tokens, out_stride) in the type of products: heads side by side, head_dim each
  void* out = nullptr;
  int64_t out_stride = 0;  // a multiple of 4
  AttentionWorkspace workspace = {};
};

/// Copies whole cache blocks, in all layers.
struct CopyBlocksTask {
  /// Planes: one layer's keys or values, (n_blocks) of block_bytes; plane_bytes from one to the
  /// next.
  std::byte* pool = nullptr;
  int32_t n_planes = 0;
  int64_t plane_bytes = 0;
  int64_t block_bytes = 0;  // a multiple of 16
  /// (from, to) each, done in this order: a block may be copied to and then from. Negative: none.
  const int32_t* copies = nullptr;
  int32_t n_copies = 0;  // places in `copies`; those beyond the real ones are (-1, -1)
};

}  // namespace forge::kernels::cuda
