// The ragged batch of one step, as plain arrays: what engine, models, cache and kernels agree on.
#pragma once

#include <cstdint>
#include <span>

namespace forge {

/// Tokens of one cache block. 16 divides every prompt chunk worth having and keeps the waste of a
/// sequence's last block under 16 tokens.
inline constexpr int32_t kBlockLen = 16;

/// Attention reads the cache in whole spans of this many positions.
inline constexpr int32_t kSpanLen = 512;

/// One sequence's share of a step: query rows [row_begin, row_end) of the batch are the tokens at
/// positions [kv_len - (row_end - row_begin), kv_len), so a decode has one row and a prefill chunk
/// many. block_table[i] is the cache block that holds positions [i * kBlockLen, (i + 1) *
/// kBlockLen).
struct SequenceRows {
  int32_t row_begin = 0;
  int32_t row_end = 0;
  int32_t kv_len = 0;  // tokens in the cache once this step's rows are appended
  /// At least ceil(kv_len / kBlockLen) entries. Where every layer has a sliding window, blocks of
  /// whole spans before the window of the first row may be -1.
  std::span<const int32_t> block_table = {};
  /// longrope models only: the sequence is longer than the original context, so its queries and
  /// keys (all of them: the engine recomputes the cache when a sequence crosses) turn by the long
  /// factors.
  bool use_long_rope = false;
};

/// One step. Sequences cover rows [0, n_tokens) in order, without gaps.
struct PagedBatch {
  std::span<const int32_t> token_ids = {};       // (n_tokens)
  std::span<const int32_t> positions = {};       // (n_tokens), ascending by one inside a sequence
  std::span<const SequenceRows> sequences = {};  // (n_seqs)
  std::span<const int32_t> logit_rows = {};      // rows whose logits are wanted, ascending

  [[nodiscard]] int64_t n_tokens() const { return static_cast<int64_t>(token_ids.size()); }
};

/// One layer's keys and values: f32, (n_blocks, n_kv_heads, kBlockLen, head_dim) each.
struct KvLayerView {
  float* k = nullptr;
  float* v = nullptr;
  int32_t n_blocks = 0;
  int32_t n_kv_heads = 0;
  int32_t head_dim = 0;

  /// Offset of (block, head, slot) in elements.
  [[nodiscard]] int64_t offset(int32_t block, int32_t head, int32_t slot) const {
    return ((static_cast<int64_t>(block) * n_kv_heads + head) * kBlockLen + slot) * head_dim;
  }
};

}  // namespace forge
