// What the attention kernels of an ISA level take: plain structs, as in kernel_table.h. The layout
// of the cache is in kv_layout.h.
//
// One sequence, one KV head, and the `group` query heads that share it. A span is 512 positions
// from an absolute multiple of 512, a tile 64 positions from a multiple of 64. Per query and span
// an online softmax runs over the tiles ascending and leaves a partial (max, sum, weighted sum of
// values); partials merge in ascending order of spans. Positions a query does not see have weight
// 0, spans it does not see are left out. So the bits of a query's result depend on its q, its
// position, the window and the keys and values it sees: on nothing else.
#pragma once

#include <cstddef>
#include <cstdint>

namespace forge::kernels::cpu {

/// Where a sequence's keys and values of one KV head are: the head block of position p is at
/// base + block_table[p / 16] * block_stride.
struct KvHead {
  std::byte* base;        // 64-byte aligned
  int64_t block_stride;   // bytes, a multiple of 64
  int64_t v_offset;       // bytes from a head block to its V part: kv_part_bytes
  const int32_t* blocks;  // the block table; entries below a window are never read
  int32_t head_dim;
};

/// Keys and values (after RoPE) of n tokens at positions [position, position + n).
struct KvAppendTask {
  KvHead head;
  int32_t position;
  int32_t n_tokens;
  const float* k;    // token t, this head at k + t * k_stride
  int64_t k_stride;  // elements
  const float* v;
  int64_t v_stride;
};

/// Rows [0, n_rows) of queries at positions [position, position + n_rows), spans [span_begin,
/// span_end). Keys and values of all positions that they see must be in the cache.
struct AttentionItem {
  KvHead head;
  int32_t group;     // query heads of the KV head
  int32_t n_rows;    // 1 or more
  int32_t position;  // of row 0
  int32_t window;    // a query at p sees [max(0, p - window + 1), p]; 0: all of [0, p]
  float scale;       // of the scores, usually 1 / sqrt(head_dim)
  const float* q;    // row t, head g at q + t * q_stride + g * head_dim
  int64_t q_stride;  // elements
  int32_t span_begin;
  int32_t span_end;

  /// Set: [span_begin, span_end) covers every span that the rows see; results go to out + t *
  /// out_stride + g * head_dim. Null: partials are written, those of column c = t * group + g and
  /// span s at partials + c * partial_column_stride + (s - span_begin) * partial_span_stride.
  float* out;
  int64_t out_stride;             // elements
  float* partials;                // attention_partial_floats each
  int64_t partial_column_stride;  // floats
  int64_t partial_span_stride;    // floats

  std::byte* scratch;  // attention_scratch_bytes, 64-byte aligned
};

/// Partials of n_rows x group columns over n_spans consecutive spans, laid out as above, to
/// results. Every row sees one of the spans at least.
struct AttentionMerge {
  const float* partials;
  int64_t partial_column_stride;
  int64_t partial_span_stride;
  int32_t n_spans;
  int32_t n_rows;
  int32_t group;
  int32_t head_dim;
  float* out;
  int64_t out_stride;
};

}  // namespace forge::kernels::cpu
