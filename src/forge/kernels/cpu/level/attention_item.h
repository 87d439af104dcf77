// One item of attention: its columns in groups, its spans ascending. See attention.h for the loops.
#pragma once

#include "forge/kernels/cpu/level/attention.h"

namespace forge::kernels::cpu::FORGE_LEVEL {

FORGE_INLINE int32_t first_seen(const AttentionItem& item, int32_t position) {
  return item.window > 0 && position >= item.window ? position - item.window + 1 : 0;
}

/// Columns first, first + 1, ... of the item into the state; past n_columns the last one again,
/// whose results are dropped.
template <class Kv, int kColumns>
FORGE_INLINE void start_columns(const AttentionItem& item, int64_t first, int64_t n_columns,
                                int64_t padded_dim, TileState& state) {
  const float factor = item.scale * 1.44269504f;  // log2(e): weights are powers of two
  for (int c = 0; c < kColumns; ++c) {
    const int64_t column = first + c < n_columns ? first + c : n_columns - 1;
    const int64_t row = column / item.group;
    const float* q = item.q + row * item.q_stride + column % item.group * item.head.head_dim;
    float scaled[kMaxHeadDim];
    for (int64_t i = 0; i < padded_dim; ++i) {
      scaled[i] = i < item.head.head_dim ? q[i] * factor : 0.0f;
    }
    store_query(state, c, scaled, typename Kv::Keys{}, padded_dim);
    state.last[c] = item.position + static_cast<int32_t>(row);
    state.first[c] = first_seen(item, state.last[c]);
    state.max[c] = kLowest;
    for (int i = 0; i < 16; i += kLanes) store(state.lanes[c] + i, zero());
    for (int64_t i = 0; i < padded_dim; i += kLanes)
      store(state.sums + c * kMaxHeadDim + i, zero());
  }
}

/// kColumns columns over the span that starts at position `span`.
template <class Kv, int kColumns>
void attend_span(const AttentionItem& item, int64_t first, int64_t n_columns, int32_t span,
                 GroupState& group) {
  TileState& state = group.tile;
  const int64_t padded_dim = (item.head.head_dim + 15) / 16 * 16;
  start_columns<Kv, kColumns>(item, first, n_columns, padded_dim, state);
  // What a column sees moves up with its row.
  const int32_t lo = state.first[0] > span ? state.first[0] : span;
  const int32_t end = state.last[kColumns - 1] + 1;
  const int32_t hi = end < span + kKvSpanLen ? end : span + kKvSpanLen;
  const int32_t item_end = end < item.span_end * kKvSpanLen ? end : item.span_end * kKvSpanLen;
  for (int32_t tile = lo / kKvTileLen * kKvTileLen; tile < hi; tile += kKvTileLen) {
    TileBlocks blocks = find_blocks(item.head, tile, lo > tile ? lo - tile : 0,
                                    hi - tile < kKvTileLen ? hi - tile : kKvTileLen, item_end);
    // int8: where all columns are one register tile, values are needed once and stay in L1.
    const bool is_once = int64_t{item.n_rows} * item.group <= kMostColumns;
    const int32_t at = is_once ? 0 : tile - span;
    std::byte* widened = item.scratch + kAttentionStateBytes + at * 2 * padded_dim;
    attend_tile<Kv, kColumns>(state, blocks, tile, padded_dim, widened,
                              group.is_widened + (tile - span) / kKvBlockLen);
  }
}

/// Whether column c of the state sees any of a span.
FORGE_INLINE bool sees(const TileState& state, int c, int32_t span) {
  return state.first[c] < span + kKvSpanLen && state.last[c] >= span;
}

/// The state's columns, over one span, into the results so far or the item's partials.
FORGE_INLINE void finish_span(const AttentionItem& item, int64_t group_first, int64_t first,
                              int n_columns, int32_t span, GroupState& group) {
  const TileState& state = group.tile;
  const int64_t padded_dim = (item.head.head_dim + 15) / 16 * 16;
  for (int c = 0; c < n_columns; ++c) {
    const bool is_seen = sees(state, c, span);
    const float sum = is_seen ? sum_of_lanes(state.lanes[c]) : 0.0f;
    if (item.out == nullptr) {
      float* partial = item.partials + (first + c) * item.partial_column_stride +
                       (span / kKvSpanLen - item.span_begin) * item.partial_span_stride;
      partial[0] = state.max[c];
      partial[1] = sum;
      for (int64_t i = 0; i < padded_dim; i += kLanes) {
        store(partial + kPartialHeader + i, load(state.sums + c * kMaxHeadDim + i));
      }
    } else if (is_seen) {
      const int64_t at = first - group_first + c;
      Merged merged{group.max[at], group.sum[at], group.values + at * kMaxHeadDim};
      merge_partial(merged, state.max[c], sum, state.sums + c * kMaxHeadDim, padded_dim);
      group.max[at] = merged.max;
      group.sum[at] = merged.sum;
    }
  }
}

template <class Kv>
FORGE_INLINE void attend_columns(const AttentionItem& item, int64_t first, int64_t n, int32_t span,
                                 GroupState& group) {
  const int64_t end = first + n;
  if (n == 1) return attend_span<Kv, 1>(item, first, end, span, group);
  if (n == 2) return attend_span<Kv, 2>(item, first, end, span, group);
  if constexpr (kTileColumns == 6) {
    if (n == 3) return attend_span<Kv, 3>(item, first, end, span, group);
    if (n == 4) return attend_span<Kv, 4>(item, first, end, span, group);
    if (n > 6) return attend_span<Kv, kMostColumns>(item, first, end, span, group);
  }
  attend_span<Kv, kTileColumns>(item, first, end, span, group);
}

template <class Kv>
FORGE_INLINE void attend_item(const AttentionItem& item) {
  auto& group = *reinterpret_cast<GroupState*>(item.scratch);
  const int64_t n_columns = int64_t{item.n_rows} * item.group;
  for (int64_t begin = 0; begin < n_columns; begin += kGroupColumns) {
    const int64_t end = begin + kGroupColumns < n_columns ? begin + kGroupColumns : n_columns;
    for (int64_t c = 0; c < end - begin; ++c) group.sum[c] = 0.0f;
    // Spans that the group sees; partials of others say so.
    const auto last = item.position + static_cast<int32_t>((end - 1) / item.group);
    const int32_t first =
        first_seen(item, item.position + static_cast<int32_t>(begin / item.group));
    for (int32_t s = item.span_begin; s < item.span_end; ++s) {
      const int32_t span = s * kKvSpanLen;
      if (item.out != nullptr && (span > last || span + kKvSpanLen <= first)) continue;
      for (bool& is_widened : group.is_widened) is_widened = false;
      for (int64_t c = begin; c < end;) {
        const int64_t n = end - c <= kMostColumns ? end - c : kTileColumns;
        attend_columns<Kv>(item, c, n, span, group);
        finish_span(item, begin, c, static_cast<int>(n), span, group);
        c += n;
      }
    }
    if (item.out == nullptr) continue;
    for (int64_t c = begin; c < end; ++c) {
      const int64_t at = c - begin;
      const Merged merged{group.max[at], group.sum[at], group.values + at * kMaxHeadDim};
      write_result(
          merged, item.head.head_dim,
          item.out + c / item.group * item.out_stride + c % item.group * item.head.head_dim);
    }
  }
}

}  // namespace forge::kernels::cpu::FORGE_LEVEL
