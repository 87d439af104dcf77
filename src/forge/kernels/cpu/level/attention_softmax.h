// The online softmax of one tile of 64 tokens: scores to weights.
#pragma once

#include "forge/kernels/cpu/level/attention_state.h"

namespace forge::kernels::cpu::FORGE_LEVEL {

/// Vectors of a tile's scores.
inline constexpr int kTileVectors = kKvTileLen / kLanes;

/// 64 zeros, 64 ones, 64 zeros, as bits and as what is added to a score: read at 64 - lo the ones
/// start at token lo, read at 128 - hi they end before token hi.
struct MaskTable {
  uint32_t keep[3 * kKvTileLen];
  float low[3 * kKvTileLen];
};
constexpr MaskTable make_mask_table() {
  MaskTable t{};
  for (int i = 0; i < 3 * kKvTileLen; ++i) {
    const bool is_seen = i / kKvTileLen == 1;
    t.keep[i] = is_seen ? 0xFFFFFFFFu : 0u;
    t.low[i] = is_seen ? 0.0f : kLowest;
  }
  return t;
}
alignas(64) inline constexpr MaskTable kMasks = make_mask_table();

/// The bits of v's lanes, tile tokens i and up, that are in [lo, hi); others zero.
FORGE_INLINE FloatV keep_seen(FloatV v, int i, int lo, int hi) {
  return and_bits(and_bits(v, kMasks.keep + kKvTileLen - lo + i),
                  kMasks.keep + 2 * kKvTileLen - hi + i);
}

/// Tokens outside [lo, hi) get a score that loses to every other, whatever the cache holds there.
FORGE_INLINE void mask_scores(float* scores, int lo, int hi) {
#pragma GCC unroll 16
  for (int i = 0; i < kKvTileLen; i += kLanes) {
    const FloatV low =
        min(load(kMasks.low + kKvTileLen - lo + i), load(kMasks.low + 2 * kKvTileLen - hi + i));
    store(scores + i, add(keep_seen(load(scores + i), i, lo, hi), low));
  }
}

FORGE_INLINE float max_of_tile(const float* scores) {
  FloatV m = load(scores);
#pragma GCC unroll 16
  for (int i = kLanes; i < kKvTileLen; i += kLanes) m = max(m, load(scores + i));
  return reduce_max(m);
}

/// Rounds weights to what values are multiplied by, stores them at p, and gives what was stored.
FORGE_INLINE FloatV store_weight(uint16_t* p, FloatV w) {
  store_bf16(p, w);
  return load_bf16(p);
}
FORGE_INLINE FloatV store_weight(float* p, FloatV w) {
  store(p, w);
  return w;
}

/// Weights of one column: exp2(score - max), zero outside [lo, hi), their stored values summed.
/// kIsMasked: the tile is not all seen.
template <bool kIsMasked, class Operand>
FORGE_INLINE void weigh_column(const float* scores, float largest, float rescale, int lo, int hi,
                               Operand* weights, float* lanes) {
  const FloatV m = set1(largest);
  FloatV sums[kParts];
#pragma GCC unroll 16
  for (int i = 0; i < kTileVectors; ++i) {
    FloatV w = exp2(sub(load(scores + i * kLanes), m));
    if constexpr (kIsMasked) w = keep_seen(w, i * kLanes, lo, hi);
    w = store_weight(weights + i * kLanes, w);
    sums[i % kParts] = i < kParts ? w : add(sums[i % kParts], w);
  }
  for (int p = 0; p < kParts; ++p) {
    store(lanes + p * kLanes, fma(load(lanes + p * kLanes), set1(rescale), sums[p]));
  }
}

/// All columns of the state over the tile that starts at position `tile`: maxima, rescaling factors
/// and weights.
template <class Operand, int kColumns>
FORGE_INLINE void weigh_tile(TileState& state, int32_t tile) {
  int lo[kColumns];
  int hi[kColumns];
  alignas(64) float before[16] = {};
  for (int c = 0; c < kColumns; ++c) {
    const int32_t end = state.last[c] + 1 - tile;
    lo[c] = state.first[c] > tile ? state.first[c] - tile : 0;
    hi[c] = end < kKvTileLen ? end : kKvTileLen;
    before[c] = state.max[c];
    if (lo[c] >= hi[c]) continue;
    if (hi[c] - lo[c] < kKvTileLen) mask_scores(state.scores[c], lo[c], hi[c]);
    const float largest = max_of_tile(state.scores[c]);
    if (largest > state.max[c]) state.max[c] = largest;
  }
  for (int i = 0; i < kColumns; i += kLanes) {
    store(state.rescale + i, exp2(sub(load(before + i), load(state.max + i))));
  }
  for (int c = 0; c < kColumns; ++c) {
    auto* weights = reinterpret_cast<Operand*>(state.weights) + c * kWeightStride;
    if (lo[c] >= hi[c]) {
      // Sees nothing of this tile: nothing of the column may change.
      state.rescale[c] = 1.0f;
      for (int i = 0; i < kKvTileLen; ++i) weights[i] = 0;
    } else if (hi[c] - lo[c] == kKvTileLen) {
      weigh_column<false>(state.scores[c], state.max[c], state.rescale[c], 0, 0, weights,
                          state.lanes[c]);
    } else {
      weigh_column<true>(state.scores[c], state.max[c], state.rescale[c], lo[c], hi[c], weights,
                         state.lanes[c]);
    }
  }
}

}  // namespace forge::kernels::cpu::FORGE_LEVEL
