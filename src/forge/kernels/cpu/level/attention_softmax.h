// The online softmax of one tile of 64 tokens: scores to weights.
#pragma once

#include "forge/kernels/cpu/level/attention_state.h"

namespace forge::kernels::cpu::FORGE_LEVEL {

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

/// Without a branch: which is larger cannot be predicted.
FORGE_INLINE float largest_of(float a, float b) { return a > b ? a : b; }

FORGE_INLINE float max_of_tile(const float* scores) {
  FloatV m = load(scores);
#pragma GCC unroll 16
  for (int i = kLanes; i < kKvTileLen; i += kLanes) m = max(m, load(scores + i));
  return reduce_max(m);
}

/// 2^(score - max), and zero for tile tokens outside [lo, hi). kIsMasked: the tile is not all seen.
template <bool kIsMasked, FloatV (*exp2_of_type)(FloatV)>
FORGE_INLINE FloatV weight_of(const float* scores, FloatV largest, int i, int lo, int hi) {
  const FloatV w = exp2_of_type(sub(load(scores + i), largest));
  if constexpr (kIsMasked) return keep_seen(w, i, lo, hi);
  return w;
}

/// Weights of one column as values are multiplied by them, and their sum, of the stored numbers,
/// into lanes (16). bf16: slots 2l and 2l + 1 are lane l's.
template <bool kIsMasked>
FORGE_INLINE void weigh_column(const float* scores, float largest, float rescale, int lo, int hi,
                               uint16_t* weights, float* lanes) {
  const FloatV m = set1(largest);
#pragma GCC unroll 16
  for (int i = 0; i < kKvTileLen; i += kLanes) {
    store_bf16(weights + i, weight_of<kIsMasked, exp2_for_bf16>(scores, m, i, lo, hi));
  }
  int32_t one_one = 0x3F803F80;  // 1, 1 in bf16
  // NOTE: keep; g++ 12 for Armv8.6 takes the constant for one of f16 and loads other bits.
  __asm__("" : "+r"(one_one));
  const Int32V ones = set1_i32(one_one);
  for (int p = 0; p < kParts; ++p) {
    FloatV sum = mul(load(lanes + p * kLanes), set1(rescale));
    for (int half = 0; half < 2; ++half) {
      sum = dot2_bf16(sum, load_cell(weights + half * 32 + p * 2 * kLanes), ones);
    }
    store(lanes + p * kLanes, sum);
  }
}
template <bool kIsMasked>
FORGE_INLINE void weigh_column(const float* scores, float largest, float rescale, int lo, int hi,
                               float* weights, float* lanes) {
  const FloatV m = set1(largest);
  FloatV sums[kParts];
#pragma GCC unroll 4
  for (int p = 0; p < kParts; ++p) sums[p] = mul(load(lanes + p * kLanes), set1(rescale));
#pragma GCC unroll 16
  for (int i = 0; i < kKvTileLen / kLanes; ++i) {
    const FloatV w = weight_of<kIsMasked, exp2>(scores, m, i * kLanes, lo, hi);
    store(weights + i * kLanes, w);
    sums[i % kParts] = add(sums[i % kParts], w);
  }
#pragma GCC unroll 4
  for (int p = 0; p < kParts; ++p) store(lanes + p * kLanes, sums[p]);
}

/// Moves p on by n bytes, not past end.
FORGE_INLINE void prefetch_bytes(const std::byte*& p, int64_t n, const std::byte* end) {
  const std::byte* stop = end - p < n ? end : p + n;
  for (; p < stop; p += 64) prefetch_l2(p);
}

/// All columns of the state over the tile that starts at position `tile`: maxima, rescaling factors
/// and weights. n_ahead bytes are prefetched from `ahead` on.
template <class Operand, int kColumns>
FORGE_INLINE void weigh_tile(TileState& state, int32_t tile, const std::byte* ahead,
                             int64_t n_ahead) {
  const std::byte* end_ahead = ahead + n_ahead;
  const int64_t n_each = (n_ahead / 64 + 2 * kColumns - 1) / (2 * kColumns) * 64;
  int lo[kColumns];
  int hi[kColumns];
  alignas(64) float before[16] = {};
  for (int c = 0; c < kColumns; ++c) {
    const int32_t end = state.last[c] + 1 - tile;
    lo[c] = state.first[c] > tile ? state.first[c] - tile : 0;
    hi[c] = end < kKvTileLen ? end : kKvTileLen;
    before[c] = state.max[c];
    prefetch_bytes(ahead, n_each, end_ahead);
    if (lo[c] >= hi[c]) continue;
    if (hi[c] - lo[c] < kKvTileLen) mask_scores(state.scores + c * kKvTileLen, lo[c], hi[c]);
    state.max[c] = largest_of(max_of_tile(state.scores + c * kKvTileLen), state.max[c]);
  }
  for (int i = 0; i < kColumns; i += kLanes) {
    store(state.rescale + i, exp2(sub(load(before + i), load(state.max + i))));
  }
  for (int c = 0; c < kColumns; ++c) {
    auto* weights = reinterpret_cast<Operand*>(state.weights) + c * kWeightStride;
    prefetch_bytes(ahead, n_each, end_ahead);
    if (lo[c] >= hi[c]) {
      // Sees nothing of this tile: nothing of the column may change.
      state.rescale[c] = 1.0f;
      for (int i = 0; i < kKvTileLen; ++i) weights[i] = 0;
    } else if (hi[c] - lo[c] == kKvTileLen) {
      weigh_column<false>(state.scores + c * kKvTileLen, state.max[c], state.rescale[c], 0, 0,
                          weights, state.lanes[c]);
    } else {
      weigh_column<true>(state.scores + c * kKvTileLen, state.max[c], state.rescale[c], lo[c],
                         hi[c], weights, state.lanes[c]);
    }
  }
}

}  // namespace forge::kernels::cpu::FORGE_LEVEL
