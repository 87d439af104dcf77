#include "forge/models/cpu/attention_stage.h"

#include <algorithm>
#include <cmath>

namespace forge::models::cpu {
namespace {

using kernels::cpu::attention_partial_floats;
using kernels::cpu::kKvSpanLen;

static_assert(kKvSpanLen == kSpanLen);

/// Rows of an item: enough to use a loaded key many times, few enough to leave items for everyone.
constexpr int32_t kItemRows = 32;
/// Steps of up to this many rows are cut by spans.
constexpr int32_t kSplitRows = 4;

int32_t n_spans(int32_t n_positions) { return (n_positions + kKvSpanLen - 1) / kKvSpanLen; }

/// Of the longest sequence.
int32_t most_spans(const DecoderOptions& options) {
  const int32_t in_cache = options.n_cache_blocks * kBlockLen;
  return n_spans(options.max_sequence_len > 0 ? std::min(options.max_sequence_len, in_cache)
                                              : in_cache);
}

/// The first position that a query at `position` sees.
int32_t first_seen(int32_t position, int32_t window) {
  return window > 0 ? std::max(0, position - window + 1) : 0;
}

}  // namespace

AttentionStage::AttentionStage(const ModelSpec& spec, const DecoderOptions& options,
                               const kernels::cpu::KernelTable& table, std::byte* kv)
    : spec_(spec),
      table_(table),
      type_(options.backend.kv_type),
      kv_(kv),
      head_block_bytes_(kernels::cpu::kv_head_block_bytes(options.backend.kv_type, spec.head_dim)),
      layer_bytes_(int64_t{options.n_cache_blocks} * spec.n_kv_heads * head_block_bytes_),
      group_(spec.n_heads / spec.n_kv_heads),
      heads_dim_(int64_t{group_} * spec.head_dim),
      max_spans_(most_spans(options)),
      finished_(std::make_unique<std::atomic<int32_t>[]>(
          static_cast<size_t>(kSplitRows * spec.n_kv_heads))) {
  // At most one item per row and KV head, or per span of few rows.
  items_.reserve(static_cast<size_t>(spec.n_kv_heads *
                                     std::max(options.max_batch_tokens, kSplitRows * max_spans_)));
}

int64_t AttentionStage::partial_floats(const ModelSpec& spec, const DecoderOptions& options) {
  return int64_t{kSplitRows} * spec.n_heads * most_spans(options) *
         attention_partial_floats(spec.head_dim);
}

void AttentionStage::begin(const PagedBatch& batch) {
  batch_ = &batch;
  items_.clear();
  const bool splits = batch.n_tokens() <= kSplitRows;
  for (size_t s = 0; s < batch.sequences.size(); ++s) add_items(static_cast<int32_t>(s), splits);
}

void AttentionStage::add_items(int32_t sequence, bool splits) {
  const SequenceRows& rows = batch_->sequences[static_cast<size_t>(sequence)];
  const int32_t spans = n_spans(rows.kv_len);
  for (int32_t head = 0; head < spec_.n_kv_heads; ++head) {
    if (splits && spans > 1) {
      const int32_t n = rows.row_end - rows.row_begin;
      for (int32_t span = 0; span < spans; ++span) {
        items_.push_back({sequence, head, rows.row_begin, n, span});
      }
      continue;
    }
    for (int32_t row = rows.row_begin; row < rows.row_end; row += kItemRows) {
      items_.push_back({sequence, head, row, std::min(kItemRows, rows.row_end - row), -1});
    }
  }
}

kernels::cpu::KvHead AttentionStage::kv_head(int32_t layer, int32_t head,
                                             const SequenceRows& sequence) const {
  return {.base = kv_ + layer * layer_bytes_ + head * head_block_bytes_,
          .block_stride = spec_.n_kv_heads * head_block_bytes_,
          .v_offset = kernels::cpu::kv_part_bytes(type_, spec_.head_dim),
          .blocks = sequence.block_table.data(),
          .head_dim = spec_.head_dim};
}

void AttentionStage::append(int32_t layer, int32_t head, const float* k, const float* v,
                            int64_t stride) const {
  for (const SequenceRows& s : batch_->sequences) {
    const int32_t n = s.row_end - s.row_begin;
    table_.kv_append[static_cast<size_t>(type_)]({.head = kv_head(layer, head, s),
                                                  .position = s.kv_len - n,
                                                  .n_tokens = n,
                                                  .k = k + s.row_begin * stride,
                                                  .k_stride = stride,
                                                  .v = v + s.row_begin * stride,
                                                  .v_stride = stride});
  }
}

void AttentionStage::run(int32_t layer, int32_t i, int worker, const DecoderBuffers& buffers,
                         KindSet kinds) {
  const Item& item = items_[static_cast<size_t>(i)];
  const SequenceRows& rows = batch_->sequences[static_cast<size_t>(item.sequence)];
  const int64_t stride = int64_t{spec_.n_heads} * spec_.head_dim;
  const int64_t at = item.first_row * stride + item.kv_head * heads_dim_;
  const int32_t position = rows.kv_len - rows.row_end + item.first_row;
  const int32_t window = spec_.sliding_window[static_cast<size_t>(layer)];
  const int32_t first_span = first_seen(position, window) / kKvSpanLen;
  kernels::cpu::AttentionItem task{
      .head = kv_head(layer, item.kv_head, rows),
      .group = group_,
      .n_rows = item.n_rows,
      .position = position,
      .window = window,
      .scale = 1.0f / std::sqrt(static_cast<float>(spec_.head_dim)),
      .q = buffers.q + at,
      .q_stride = stride,
      .span_begin = first_span,
      .span_end = n_spans(position + item.n_rows),
      .out = buffers.attended + at,
      .out_stride = stride,
      .partials = nullptr,
      .partial_column_stride = 0,
      .partial_span_stride = 0,
      .scratch = buffers.workers[static_cast<size_t>(worker)].attention};
  if (item.span >= 0) return run_span(item, task, first_span, buffers, kinds);
  table_.attention[static_cast<size_t>(type_)](task);
  quantize(item, buffers, kinds);
}

// Partials: (row of the batch, query head, span from the first one seen).
void AttentionStage::run_span(const Item& item, kernels::cpu::AttentionItem task,
                              int32_t first_span, const DecoderBuffers& buffers, KindSet kinds) {
  const int64_t one = attention_partial_floats(spec_.head_dim);
  const int32_t last_span = task.span_end;
  const int64_t first_column =
      int64_t{item.first_row} * spec_.n_heads + int64_t{item.kv_head} * item.n_rows * group_;
  float* partials = buffers.partials + first_column * max_spans_ * one;
  if (item.span >= first_span) {
    task.span_begin = item.span;
    task.span_end = item.span + 1;
    task.out = nullptr;
    task.partials = partials + (item.span - first_span) * one;
    task.partial_column_stride = max_spans_ * one;
    task.partial_span_stride = one;
    table_.attention[static_cast<size_t>(type_)](task);
  }
  // The last of a head's items merges; it puts the count back for the next layer.
  std::atomic<int32_t>& finished =
      finished_[static_cast<size_t>(item.first_row * spec_.n_kv_heads + item.kv_head)];
  if (finished.fetch_add(1, std::memory_order_acq_rel) + 1 < last_span) return;
  finished.store(0, std::memory_order_relaxed);
  const int64_t stride = int64_t{spec_.n_heads} * spec_.head_dim;
  table_.attention_merge(
      {.partials = partials,
       .partial_column_stride = max_spans_ * one,
       .partial_span_stride = one,
       .n_spans = last_span - first_span,
       .n_rows = item.n_rows,
       .group = group_,
       .head_dim = spec_.head_dim,
       .out = buffers.attended + item.first_row * stride + item.kv_head * heads_dim_,
       .out_stride = stride});
  quantize(item, buffers, kinds);
}

void AttentionStage::quantize(const Item& item, const DecoderBuffers& buffers,
                              KindSet kinds) const {
  if (!quantizes()) return;
  const int64_t stride = int64_t{spec_.n_heads} * spec_.head_dim;
  const int64_t begin = item.kv_head * heads_dim_;
  for (int32_t row = item.first_row; row < item.first_row + item.n_rows; ++row) {
    buffers.heads_out.write(table_, kinds, buffers.attended + row * stride + begin, heads_dim_, row,
                            begin);
  }
}

}  // namespace forge::models::cpu
