// Attention of many rows of a sequence (prompts), where products are most of the work.
//
// A block takes 64 (32) packed rows of one kv head, a warp 16 of them. Tiles of keys and of values
// come through shared memory by asynchronous copies: the next keys while values are multiplied, the
// next values while keys are. What a row gets is what few.h gives it, bit for bit.
//
//   grid    (tiles of packed rows, n_kv_heads, n_sequences)
//   shared  keys of a tile, its values, sums of the spans before, scales of values (8-bit types)
//
// Source: Dao 2023, arXiv:2307.08691.
#pragma once

#include "forge/kernels/cuda/attention/packed_rows.h"

namespace forge::kernels::cuda {

/// Above 128 dimensions fewer, for the 99 KB of shared memory that compute capability 8.6 has.
constexpr int many_warps(int head_dim) { return head_dim > 128 ? 2 : 4; }
constexpr int many_threads(int head_dim) { return many_warps(head_dim) * kWarpLanes; }
constexpr int many_rows(int head_dim) { return many_warps(head_dim) * kPackedRows; }

constexpr int tile_bytes(KvType type, ProductType product_type, int head_dim) {
  return kTileBlocks * kv_head_block_bytes(type, product_type, head_dim);
}
/// Of the widest heads in 4 bytes a tile's keys and values would not fit beside each other.
constexpr bool values_replace_keys(ProductType product_type, int head_dim) {
  return head_dim > 128 && element_bytes(product_type) == 4;
}
constexpr size_t many_attention_shared_bytes(KvType type, ProductType product_type, int head_dim) {
  const int scales = type == KvType::kPlain ? 0 : kKvTile * 4;
  const int tiles = values_replace_keys(product_type, head_dim) ? 1 : 2;
  return static_cast<size_t>(tiles * tile_bytes(type, product_type, head_dim) +
                             many_rows(head_dim) * head_dim * 4 + scales);
}

/// Rows of keys in shared memory whose 16-byte pieces are exchanged, so that the lanes that read at
/// once (two tokens of plain codes, four of 8-bit ones) find them in different banks. Rows that
/// are not whole lines lie well enough as they are.
template <int CodeBytes>
struct SwizzledKeys {
  FORGE_DEVICE static int offset(int row_bytes, int token, int byte) {
    if (row_bytes % 128 != 0) return token * row_bytes + byte;
    const int exchange = CodeBytes > 1 ? (token & 1) << 6 : (token & 1) << 5 | (token & 4) << 4;
    return token * row_bytes + (byte ^ exchange);
  }
};

/// Starts copies of a part of a tile's head blocks, `bytes` of each, to places `stride` apart.
/// Blocks outside first_block .. last_block of the sequence become zeros. Keys: row_bytes is a
/// row's, for their places; 0: as they lie.
template <int HeadDim>
struct TileCopy {
  const std::byte* plane;
  int64_t block_bytes;
  const int32_t* block_table;
  int first_block;
  int last_block;

  template <typename KeyPlace>
  FORGE_DEVICE void start(int tile, int offset, int bytes, int row_bytes, std::byte* to,
                          int stride) const {
    FORGE_UNROLL
    for (int i = 0; i < kTileBlocks; ++i) {
      const int block = tile * kTileBlocks + i;
      const bool is_there = block >= first_block && block <= last_block;
      const std::byte* from = is_there ? plane + block_table[block] * block_bytes + offset : plane;
      for (int at = thread_index() * 16; at < bytes; at += many_threads(HeadDim) * 16) {
        const int place = at < kKvBlock * row_bytes
                              ? KeyPlace::offset(row_bytes, at / row_bytes, at % row_bytes)
                              : at;
        copy_async16(to + i * stride + place, from + at, is_there);
      }
    }
  }
};

/// Sums of rows g (0) and g + 8 (1) over tiles or spans: o as D fragments of 8 dimensions.
template <int HeadDim>
struct RowSums {
  FragmentD o[HeadDim / 8];
  float l[2];
  float m[2];

  FORGE_DEVICE void clear() {
    FORGE_UNROLL
    for (int i = 0; i < HeadDim / 8; ++i) o[i] = FragmentD{};
    FORGE_UNROLL
    for (int row = 0; row < 2; ++row) {
      l[row] = 0.0f;
      m[row] = -INFINITY;
    }
  }
  /// next(i): o of what follows.
  template <typename Next>
  FORGE_DEVICE void fold(const float (&next_l)[2], const float (&next_m)[2], Next next) {
    const Fold folds[2] = {Fold(m[0], next_m[0]), Fold(m[1], next_m[1])};
    FORGE_UNROLL
    for (int i = 0; i < HeadDim / 8; ++i) {
      const FragmentD more = next(i);
      FORGE_UNROLL
      for (int e = 0; e < 4; ++e) o[i].v[e] = folds[e / 2](o[i].v[e], more.v[e]);
    }
    FORGE_UNROLL
    for (int row = 0; row < 2; ++row) {
      l[row] = folds[row](l[row], next_l[row]);
      m[row] = folds[row].m;
    }
  }
};

/// The spans before the current one, folded: o in shared memory, where only this thread looks.
template <int HeadDim>
struct SpansBefore {
  FragmentD* o;  // this thread's, many_threads() apart
  float l[2] = {};
  float m[2] = {};
  bool has_any = false;

  /// Gives what it holds and the span to the span, in this order.
  FORGE_DEVICE void fold_into(RowSums<HeadDim>& span) const {
    if (!has_any) return;
    RowSums<HeadDim> sums;
    FORGE_UNROLL
    for (int i = 0; i < HeadDim / 8; ++i) sums.o[i] = o[i * many_threads(HeadDim)];
    FORGE_UNROLL
    for (int row = 0; row < 2; ++row) {
      sums.l[row] = l[row];
      sums.m[row] = m[row];
    }
    sums.fold(span.l, span.m, [&](int i) { return span.o[i]; });
    span = sums;
  }
  FORGE_DEVICE void take(RowSums<HeadDim>& span) {
    fold_into(span);
    FORGE_UNROLL
    for (int i = 0; i < HeadDim / 8; ++i) o[i * many_threads(HeadDim)] = span.o[i];
    FORGE_UNROLL
    for (int row = 0; row < 2; ++row) {
      l[row] = span.l[row];
      m[row] = span.m[row];
    }
    has_any = true;
    span.clear();
  }
};

template <typename Product, KvType Type, int HeadDim>
FORGE_KERNEL(many_threads(HeadDim), 1)
attention_many(AttentionTask task) {
  let_successor_start();
  wait_for_predecessor();
  const AttentionRows entry = task.sequences[block_z()];
  const PackedRows all(task, entry);
  constexpr int kRows = many_rows(HeadDim);
  const int n_row_tiles = (all.n_rows + kRows - 1) / kRows;
  if (block_x() >= n_row_tiles) return;
  // The last rows see most: they start first.
  const int block_row = (n_row_tiles - 1 - block_x()) * kRows;
  const int block_end = block_row + kRows < all.n_rows ? block_row + kRows : all.n_rows;
  const int kv_head = block_y();
  const int from = all.from(block_row);
  const int to = all.position(block_end - 1) + 1;
  const int lane = lane_index();
  const int first_row = block_row + warp_index() * kPackedRows;
  const int warp_end = first_row + kPackedRows < block_end ? first_row + kPackedRows : block_end;
  const bool has_rows = first_row < block_end;
  const int warp_from = has_rows ? all.from(first_row) : 0;
  const int warp_to = has_rows ? all.position(warp_end - 1) + 1 : 0;

  QueryFragments<Product, HeadDim> q;
  const Element<Product>* queries[2] = {nullptr, nullptr};
  FORGE_UNROLL
  for (int i = 0; i < 2; ++i) {
    const int row = first_row + lane / 4 + 8 * i;
    if (row >= block_end) continue;
    queries[i] = static_cast<const Element<Product>*>(task.q) +
                 (int64_t{all.token(row)} * task.heads.n_heads + all.head(kv_head, row)) * HeadDim;
  }
  q.load(queries[0], queries[1], lane);

  constexpr int kTileBytes = tile_bytes(Type, Product::kType, HeadDim);
  constexpr int kHeadBytes = kv_head_block_bytes(Type, Product::kType, HeadDim);
  constexpr int kRowBytes = HeadDim * kv_code_bytes(Type, Product::kType);
  constexpr bool kReplaces = values_replace_keys(Product::kType, HeadDim);
  using KeyPlace = SwizzledKeys<kv_code_bytes(Type, Product::kType)>;
  std::byte* keys = shared_memory();
  std::byte* values = kReplaces ? keys : keys + kTileBytes;
  auto* sums_before = reinterpret_cast<FragmentD*>(values + kTileBytes);
  std::byte* value_scales = values + kTileBytes + kRows * HeadDim * 4;
  SpansBefore<HeadDim> before{.o = sums_before + thread_index()};
  TileBlocks blocks;
  blocks.keys = keys;
  blocks.values = values;
  blocks.value_scales = value_scales;
  FORGE_UNROLL
  for (int i = 0; i < kTileBlocks; ++i) {
    blocks.at[i] = i * kHeadBytes / 16;
    blocks.scales_at[i] = i * kKvBlock * 4 / 16;
  }
  const int64_t head_at = int64_t{kv_head} * kHeadBytes;
  TileCopy<HeadDim> copy_k{.plane = task.kv.keys + head_at,
                           .block_bytes = task.kv.block_bytes,
                           .block_table = task.block_tables + entry.first_block,
                           .first_block = from / kKvBlock,
                           .last_block = (to - 1) / kKvBlock};
  TileCopy<HeadDim> copy_v = copy_k;
  copy_v.plane = task.kv.values + head_at;
  const int last_tile = (to - 1) / kKvTile;
  // A group each, empty ones after the last tile.
  const auto copy_keys = [&](int tile) {
    if (tile <= last_tile) {
      copy_k.template start<KeyPlace>(tile, 0, kHeadBytes, kRowBytes, keys, kHeadBytes);
      if constexpr (Type != KvType::kPlain) {
        copy_v.template start<KeyPlace>(tile, kKvBlock * kRowBytes, kKvBlock * 4, 0, value_scales,
                                        kKvBlock * 4);
      }
    }
    commit_copies();
  };
  const auto copy_values = [&](int tile) {
    if (tile <= last_tile) {
      copy_v.template start<KeyPlace>(tile, 0, kKvBlock * kRowBytes, 0, values, kHeadBytes);
    }
    commit_copies();
  };

  const Seen seen = all.seen(first_row, lane);
  const float scale_log2 = task.scale * kLog2E;
  RowSums<HeadDim> sums;
  sums.clear();
  // Copies that are under way while products are taken.
  constexpr int kAhead = kReplaces ? 0 : 1;
  copy_keys(from / kKvTile);
  if constexpr (!kReplaces) copy_values(from / kKvTile);
  for (int tile = from / kKvTile; tile <= last_tile; ++tile) {
    const int tile_begin = tile * kKvTile;
    const bool is_seen = tile_begin < warp_to && tile_begin + kKvTile > warp_from;
    TileWeights<Product> weights;
    wait_copies<kAhead>();
    sync_block();
    if (is_seen) {
      weigh_tile<Product, Type, HeadDim, KeyPlace>(q, blocks, tile_begin, seen, scale_log2, lane,
                                                   weights);
    }
    sync_block();
    kReplaces ? copy_values(tile) : copy_keys(tile + 1);
    wait_copies<kAhead>();
    sync_block();
    if (is_seen) {
      sums.fold(weights.l, weights.m,
                [&](int i) { return sum_values<Product, Type>(weights, blocks, i, lane); });
    }
    sync_block();
    kReplaces ? copy_keys(tile + 1) : copy_values(tile + 1);
    if ((tile + 1) % kSpanTiles == 0 && tile < last_tile) before.take(sums);
  }
  before.fold_into(sums);

  FORGE_UNROLL
  for (int row = 0; row < 2; ++row) {
    const int packed = first_row + lane / 4 + 8 * row;
    if (packed >= block_end) continue;
    auto* out = static_cast<Element<Product>*>(task.out) + all.token(packed) * task.out_stride +
                all.head(kv_head, packed) * task.heads.head_dim;
    FORGE_UNROLL
    for (int i = 0; i < HeadDim / 8; ++i) {
      const int d = i * 8 + lane % 4 * 2;
      if (d >= task.heads.head_dim) continue;
      const float* o = sums.o[i].v + 2 * row;
      store_elements<Product>(out + d,
                              {divide_fast(o[0], sums.l[row]), divide_fast(o[1], sums.l[row])});
    }
  }
}

}  // namespace forge::kernels::cuda
