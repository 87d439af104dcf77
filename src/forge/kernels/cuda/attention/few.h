// Attention of a few rows of each sequence (decode), where reading keys and values is all the work.
//
// A warp takes one tile of 64 positions of one kv head, a block's four warps the four tiles of a
// span; blocks along z share a sequence's spans. Where a sequence has one span its block writes the
// result; otherwise each span's sums go to memory, and the block that is last to finish folds them
// in ascending order.
//
//   grid    (n_sequences * row groups, n_kv_heads, splits)
//   shared  PackedSums of 4 tiles; fused: turned queries (rows, HeadDim + 32)
#pragma once

#include "forge/kernels/cuda/attention/packed_rows.h"
#include "forge/kernels/cuda/attention/rope_append.h"

namespace forge::kernels::cuda {

inline constexpr int kFewWarps = kSpanTiles;
inline constexpr int kFewThreads = kFewWarps * kWarpLanes;

/// One block more would leave registers too few (168 of 128 dimensions, 128 of 64; 168 of those
/// that are split): nvcc 13 spills.
template <typename Product>
constexpr int few_blocks_per_processor(int head_dim) {
  return head_dim <= 64 && !Product::kIsSplit ? 3 : 2;
}

/// What the launch fixes besides the task.
struct FewShape {
  int32_t row_groups = 0;  // of kPackedRows, of an entry
  int32_t n_rows = 0;      // of a group, at most: what memory is laid out for
  int32_t max_spans = 0;   // of an entry
};

/// Sums of some packed rows over some positions, in shared or global memory:
/// o (n_rows, stride), l (n_rows), m (n_rows); 16-byte aligned.
struct PackedSums {
  float* o;
  int n_rows;
  int stride;

  [[nodiscard]] FORGE_DEVICE float* l() const { return o + n_rows * stride; }
  [[nodiscard]] FORGE_DEVICE float* m() const { return l() + n_rows; }
};
constexpr int64_t packed_sums_floats(int n_rows, int stride) {
  return (int64_t{n_rows} * (stride + 2) + 3) / 4 * 4;
}
/// In shared memory rows are 8 floats longer, so that lanes that hold 8 rows write to other banks.
constexpr int shared_sums_stride(int head_dim) { return head_dim + 8; }

/// In bytes. 64 beyond a row, so that the two rows that lanes read at once lie in different banks.
constexpr int fused_query_stride(int head_dim, ProductType product_type) {
  return head_dim * element_bytes(product_type) + 64;
}
constexpr size_t few_attention_shared_bytes(int head_dim, ProductType product_type, int n_rows,
                                            bool is_fused) {
  const auto sums =
      static_cast<size_t>(kFewWarps * packed_sums_floats(n_rows, shared_sums_stride(head_dim)) * 4);
  const auto queries = static_cast<size_t>(n_rows * fused_query_stride(head_dim, product_type));
  return sums + (is_fused ? queries : 0);
}

/// One tile's sums into shared memory.
template <typename Product, KvType Type, int HeadDim>
FORGE_DEVICE void attend_tile(const QueryFragments<Product, HeadDim>& q, const TileBlocks& blocks,
                              int first_position, const Seen& seen, float scale_log2, int lane,
                              const PackedSums& to) {
  TileWeights<Product> weights;
  weigh_tile<Product, Type, HeadDim, PlainKeys>(q, blocks, first_position, seen, scale_log2, lane,
                                                weights);
  const int g = lane / 4;
  FORGE_UNROLL
  for (int i = 0; i < HeadDim / 8; ++i) {
    const FragmentD o = sum_values<Product, Type>(weights, blocks, i, lane);
    FORGE_UNROLL
    for (int row = 0; row < 2; ++row) {
      if (g + 8 * row >= to.n_rows) continue;
      float* at = to.o + (g + 8 * row) * to.stride + i * 8 + lane % 4 * 2;
      *reinterpret_cast<Words2*>(at) = {
          {float_as_bits(o.v[2 * row]), float_as_bits(o.v[2 * row + 1])}};
    }
  }
  FORGE_UNROLL
  for (int row = 0; row < 2; ++row) {
    if (lane % 4 != 0 || g + 8 * row >= to.n_rows) continue;
    to.l()[g + 8 * row] = weights.l[row];
    to.m()[g + 8 * row] = weights.m[row];
  }
}

/// 4 neighbouring dimensions of a row.
struct FoldedSums {
  float o[4] = {0.0f, 0.0f, 0.0f, 0.0f};
  float l = 0.0f;
  float m = -INFINITY;

  FORGE_DEVICE void fold(const PackedSums& next, int row, int d) {
    const Words4 words = load_as<Words4>(next.o + row * next.stride + d);
    const Fold fold(m, next.m()[row]);
    FORGE_UNROLL
    for (int i = 0; i < 4; ++i) o[i] = fold(o[i], bits_as_float(words.w[i]));
    l = fold(l, next.l()[row]);
    m = fold.m;
  }
  template <typename Product>
  FORGE_DEVICE void write(const AttentionTask& task, int token, int head, int d) const {
    if (d >= task.heads.head_dim) return;
    float y[4];
    FORGE_UNROLL
    for (int i = 0; i < 4; ++i) y[i] = divide_fast(o[i], l);
    store_elements<Product>(static_cast<Element<Product>*>(task.out) + token * task.out_stride +
                                head * task.heads.head_dim + d,
                            y);
  }
};

template <typename Product, KvType Type, int HeadDim>
FORGE_KERNEL(kFewThreads, few_blocks_per_processor<Product>(HeadDim))
attention_few(AttentionTask task, FewShape shape) {
  let_successor_start();
  wait_for_predecessor();
  const int lane = lane_index();
  const int warp = warp_index();
  const AttentionRows entry = task.sequences[block_x() / shape.row_groups];
  const int row_group = block_x() % shape.row_groups;
  const PackedRows all(task, entry);
  const int first_row = row_group * kPackedRows;
  if (first_row >= all.n_rows) return;
  const int n_rows = all.n_rows - first_row < kPackedRows ? all.n_rows - first_row : kPackedRows;
  const int kv_head = block_y();
  const int from = all.from(first_row);
  const int to = all.position(first_row + n_rows - 1) + 1;
  const int first_span = from / kSpan;
  const int n_spans = (to - 1) / kSpan + 1 - first_span;
  if (block_z() >= n_spans) return;
  const int32_t* block_table = task.block_tables + entry.first_block;

  constexpr int kStride = shared_sums_stride(HeadDim);
  auto* shared = reinterpret_cast<float*>(shared_memory());
  const auto tile_sums = [&](int tile) {
    return PackedSums{shared + tile * packed_sums_floats(n_rows, kStride), n_rows, kStride};
  };
  const int64_t group_index = int64_t{block_x()} * task.heads.n_kv_heads + kv_head;
  const auto span_sums = [&](int span) {
    const int64_t size = packed_sums_floats(shape.n_rows, HeadDim);
    return PackedSums{task.workspace.partials + (group_index * shape.max_spans + span) * size,
                      n_rows, HeadDim};
  };

  const bool is_fused = task.q == nullptr;
  constexpr int kQueryStride =
      fused_query_stride(HeadDim, Product::kType) / static_cast<int>(sizeof(Element<Product>));
  auto* turned = reinterpret_cast<Element<Product>*>(
      shared_memory() + few_attention_shared_bytes(HeadDim, Product::kType, shape.n_rows, false));
  for (int row = warp; is_fused && row < n_rows; row += kFewWarps) {
    const int packed = first_row + row;
    const HeadRow<HeadDim> head =
        load_head<HeadDim>(task.heads, task.rows, all.token(packed), all.position(packed),
                           QkvPart::kQuery, all.head(kv_head, packed), lane);
    store_query<Product>(head, turned + row * kQueryStride, lane);
  }
  const auto query = [&](int row) -> const Element<Product>* {
    if (row >= n_rows) return nullptr;
    if (is_fused) return turned + row * kQueryStride;
    const int packed = first_row + row;
    return static_cast<const Element<Product>*>(task.q) +
           (int64_t{all.token(packed)} * task.heads.n_heads + all.head(kv_head, packed)) * HeadDim;
  };
  const float scale_log2 = task.scale * kLog2E;

  for (int span = block_z(); span < n_spans; span += grid_z()) {
    const int span_begin = (first_span + span) * kSpan;
    if (is_fused) {
      // This span's new keys and values. Where an entry has several row groups each of them writes
      // the same bytes, and reads its own.
      const int n_new = 2 * (all.n_rows / all.group);
      for (int item = warp; item < n_new; item += kFewWarps) {
        const int position = all.first_position + item / 2;
        if (position / kSpan != first_span + span) continue;
        append_head<Product, Type, HeadDim>(
            task.heads, task.rows, task.kv, block_table, all.first_token + item / 2, position,
            item % 2 == 0 ? QkvPart::kKey : QkvPart::kValue, kv_head, lane);
      }
      sync_block();  // the turned queries are there too
    }
    const int first_tile = from > span_begin ? (from - span_begin) / kKvTile : 0;
    const int last_tile =
        to < span_begin + kSpan ? (to - 1 - span_begin) / kKvTile : kSpanTiles - 1;
    if (warp >= first_tile && warp <= last_tile) {
      const int tile_begin = span_begin + warp * kKvTile;
      const TileBlocks blocks =
          find_blocks<Product, Type, HeadDim>(task.kv, block_table, kv_head, tile_begin, to);
      QueryFragments<Product, HeadDim> q;
      q.load(query(lane / 4), query(lane / 4 + 8), lane);
      const Seen seen = all.seen(first_row, lane);
      attend_tile<Product, Type, HeadDim>(q, blocks, tile_begin, seen, scale_log2, lane,
                                          tile_sums(warp));
    }
    sync_block();
    for (int i = thread_index(); i < n_rows * (HeadDim / 4); i += kFewThreads) {
      const int row = i / (HeadDim / 4);
      const int d = i % (HeadDim / 4) * 4;
      FoldedSums sums;
      for (int tile = first_tile; tile <= last_tile; ++tile) sums.fold(tile_sums(tile), row, d);
      if (n_spans == 1) {
        sums.template write<Product>(task, all.token(first_row + row),
                                     all.head(kv_head, first_row + row), d);
        continue;
      }
      const PackedSums out = span_sums(span);
      *reinterpret_cast<Words4*>(out.o + row * HeadDim +
                                 d) = {{float_as_bits(sums.o[0]), float_as_bits(sums.o[1]),
                                        float_as_bits(sums.o[2]), float_as_bits(sums.o[3])}};
      if (d == 0) {
        out.l()[row] = sums.l;
        out.m()[row] = sums.m;
      }
    }
    sync_block();  // before the next span's tiles, and before what was written is counted
  }
  if (n_spans == 1) return;

  const int n_blocks = n_spans < grid_z() ? n_spans : grid_z();
  auto* is_last = reinterpret_cast<int*>(shared);
  if (thread_index() == 0) {
    int* counter = task.workspace.counters + group_index;
    *is_last = count_up(counter) == n_blocks - 1 ? 1 : 0;
    if (*is_last != 0) *counter = 0;
  }
  sync_block();
  if (*is_last == 0) return;
  for (int i = thread_index(); i < n_rows * (HeadDim / 4); i += kFewThreads) {
    const int row = i / (HeadDim / 4);
    const int d = i % (HeadDim / 4) * 4;
    FoldedSums sums;
    for (int span = 0; span < n_spans; ++span) sums.fold(span_sums(span), row, d);
    sums.template write<Product>(task, all.token(first_row + row),
                                 all.head(kv_head, first_row + row), d);
  }
}

}  // namespace forge::kernels::cuda
