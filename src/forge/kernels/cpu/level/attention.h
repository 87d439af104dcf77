// Attention of one item: queries over spans of the cache, as two matrix products per tile.
//
//   for kGroupTiles register tiles of columns        a span's keys and values are read from memory
//     for each span                                  for the first and from L2 for the others
//       for each register tile of columns
//         for each tile of 64 tokens: scores = K q, online softmax, sums += V p
//         merge the span into the columns' results, or write it as partials
#pragma once

#include "forge/kernels/cpu/level/attention_types.h"

namespace forge::kernels::cpu::FORGE_LEVEL {

inline constexpr int kGroupTiles = 8;
inline constexpr int kGroupColumns = kGroupTiles * kTileColumns;
inline constexpr int kBlocksPerTile = kKvTileLen / kKvBlockLen;

/// Scratch, in this order; then, for int8, a span of values in bf16.
struct GroupState {
  TileState tile;
  alignas(64) float values[kGroupColumns * kMaxHeadDim];
  float max[kGroupColumns];
  float sum[kGroupColumns];
  bool is_widened[kKvSpanLen / kKvBlockLen];  // int8: the span's blocks whose values are
};
static_assert(sizeof(GroupState) <= kAttentionStateBytes);

/// The blocks of a tile that hold seen positions: [begin, end) of 4.
struct TileBlocks {
  const std::byte* keys[kBlocksPerTile];  // the others repeat a neighbour
  const std::byte* values[kBlocksPerTile];
  // Head blocks of the next tile, prefetched all the time, so that memory never waits: the first by
  // the scores, the second by the softmax, the others by the values.
  const std::byte* next[kBlocksPerTile];
  int64_t v_offset;
  int begin;
  int end;
};

/// lo, hi: seen positions of all columns in the tile, relative to it; end: where the item's end.
FORGE_INLINE TileBlocks find_blocks(const KvHead& head, int32_t tile, int32_t lo, int32_t hi,
                                    int32_t end) {
  TileBlocks blocks;
  blocks.v_offset = head.v_offset;
  blocks.begin = lo / kKvBlockLen;
  blocks.end = (hi + kKvBlockLen - 1) / kKvBlockLen;
  const int32_t last = (end - 1) / kKvBlockLen;
  for (int b = 0; b < kBlocksPerTile; ++b) {
    const int near = b < blocks.begin ? blocks.begin : b < blocks.end ? b : blocks.end - 1;
    const int32_t block = tile / kKvBlockLen + near;
    const int32_t next = block + kBlocksPerTile < last ? block + kBlocksPerTile : last;
    blocks.keys[b] = head.base + head.blocks[block] * head.block_stride;
    blocks.values[b] = blocks.keys[b] + head.v_offset;
    blocks.next[b] = head.base + head.blocks[next] * head.block_stride;
  }
  return blocks;
}

/// kStrips strips of tokens from `first` on, a multiple of kStrips.
// Not inlined: constants of the code around would take the sums' registers.
template <class Kv, int kStrips, int kColumns>
[[gnu::noinline]] void score_strips(TileState& state, const TileBlocks& blocks, int first,
                                    int64_t n_cells) {
  using Keys = typename Kv::Keys;
  constexpr int kStart = Kv::kIsInt8 ? kKvScaleBytes : 0;
  const std::byte* strips[kStrips];
  typename Keys::Sum sum[kStrips][kColumns];
#pragma GCC unroll 4
  for (int s = 0; s < kStrips; ++s) {
    strips[s] =
        blocks.keys[(first + s) / kParts] + kStart + (first + s) % kParts * Keys::kStripBytes;
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c) {
      sum[s][c] = start_score(state, c, static_cast<typename Keys::Sum*>(nullptr));
    }
  }
  multiply_cells<Keys, kStrips, kColumns, kQueryStride, kStrips / 2>(
      sum, strips, reinterpret_cast<const typename Keys::Operand*>(state.q), n_cells,
      blocks.next[0] + first / kParts * (blocks.v_offset / 2));
  float* scores = state.scores + first * kLanes;
#pragma GCC unroll 4
  for (int s = 0; s < kStrips; ++s) {
    const auto* scales = reinterpret_cast<const float*>(blocks.keys[(first + s) / kParts]) +
                         (first + s) % kParts * kLanes;
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c) {
      float* score = scores + c * kKvTileLen + s * kLanes;
      if constexpr (Kv::kIsInt8) {
        store(score, mul(mul(to_float(sum[s][c]), load(scales)), set1(state.q_scale[c])));
      } else {
        store(score, sum[s][c]);
      }
    }
  }
}

/// Scores of the blocks that hold seen positions; others keep what they have and are masked.
template <class Kv, int kColumns>
FORGE_INLINE void score_tile(TileState& state, const TileBlocks& blocks, int64_t n_cells) {
  constexpr int kStrips = kTileStrips<kColumns>;
  const int end = blocks.end * kParts;
  for (int first = blocks.begin * kParts / kStrips * kStrips; first < end; first += kStrips) {
    if (kStrips == 4 && end - first <= 2) {
      score_strips<Kv, 2, kColumns>(state, blocks, first, n_cells);
    } else {
      score_strips<Kv, kStrips, kColumns>(state, blocks, first, n_cells);
    }
  }
}

/// kStrips strips of dimensions from `strip` on, a multiple of kStrips: sums = sums * rescale + V
/// p.
template <class Values, int kStrips, int kColumns, bool kPrefetches>
[[gnu::noinline]] void add_values(TileState& state, const TileBlocks& blocks, int64_t strip) {
  constexpr int kCells = kKvBlockLen / Values::kPerCell;
  constexpr int kPanelBytes = kCells * Values::kBytes;
  float* sums = state.sums + strip * kLanes;
  FloatV sum[kStrips][kColumns];
#pragma GCC unroll 8
  for (int c = 0; c < kColumns; ++c) {
    const FloatV rescale = set1(state.rescale[c]);
#pragma GCC unroll 4
    for (int s = 0; s < kStrips; ++s) {
      sum[s][c] = mul(load(sums + c * kMaxHeadDim + s * kLanes), rescale);
    }
  }
  const auto* weights = reinterpret_cast<const typename Values::Operand*>(state.weights);
  for (int64_t b = blocks.begin; b < blocks.end; ++b) {
    // Strips lie in whole panels, or all in one.
    const std::byte* values = blocks.values[b];
    const std::byte* first =
        values + strip / kParts * kPanelBytes + strip % kParts * Values::kStripBytes;
    const std::byte* strips[kStrips];
#pragma GCC unroll 4
    for (int s = 0; s < kStrips; ++s) {
      strips[s] = first + s / kParts * kPanelBytes + s % kParts * Values::kStripBytes;
    }
    const std::byte* ahead = blocks.next[2 + b / 2] + b % 2 * blocks.v_offset + (first - values);
    multiply_cells<Values, kStrips, kColumns, kWeightStride, kPrefetches ? kStrips : 0>(
        sum, strips, weights + b * kKvBlockLen, kCells, ahead);
  }
#pragma GCC unroll 8
  for (int c = 0; c < kColumns; ++c) {
#pragma GCC unroll 4
    for (int s = 0; s < kStrips; ++s) store(sums + c * kMaxHeadDim + s * kLanes, sum[s][c]);
  }
}

template <class Kv, int kColumns>
void attend_tile(TileState& state, TileBlocks& blocks, int32_t tile, int64_t padded_dim,
                 std::byte* widened, bool* is_widened) {
  using Values = typename Kv::Values;
  score_tile<Kv, kColumns>(state, blocks, padded_dim / Kv::Keys::kPerCell);
  weigh_tile<typename Values::Operand, kColumns>(state, tile, blocks.next[1], 2 * blocks.v_offset);
  if constexpr (Kv::kIsInt8) {
    for (int b = blocks.begin; b < blocks.end; ++b) {
      for (int c = 0; c < kColumns; ++c) {
        auto* weights = reinterpret_cast<uint16_t*>(state.weights) + c * kWeightStride;
        scale_weights(weights + b * kKvBlockLen, blocks.values[b]);
      }
      std::byte* cells = widened + b * kKvBlockLen * 2 * padded_dim;
      if (!is_widened[b]) {
        widen_values(blocks.values[b], padded_dim / 16, cells,
                     blocks.next[2 + b / 2] + b % 2 * blocks.v_offset);
      }
      is_widened[b] = true;
      blocks.values[b] = cells;
    }
  }
  const int64_t n_strips = padded_dim / kLanes;
  constexpr int kStrips = kTileStrips<kColumns>;
  int64_t strip = 0;
  for (; strip + kStrips <= n_strips; strip += kStrips) {
    add_values<Values, kStrips, kColumns, !Kv::kIsInt8>(state, blocks, strip);
  }
  if constexpr (kStrips > 2) {
    for (; strip + 2 <= n_strips; strip += 2)
      add_values<Values, 2, kColumns, !Kv::kIsInt8>(state, blocks, strip);
  }
  for (; strip < n_strips; ++strip)
    add_values<Values, 1, kColumns, !Kv::kIsInt8>(state, blocks, strip);
}

}  // namespace forge::kernels::cpu::FORGE_LEVEL
