// What attention keeps per query while it passes over a span, and how partial results merge.
#pragma once

#include "forge/kernels/cpu/level/attention_cells.h"
#include "forge/kernels/cpu/level/exp.h"

namespace forge::kernels::cpu::FORGE_LEVEL {

/// Below every score; finite, so that differences are.
inline constexpr float kLowest = -3.0e38f;

/// The columns of one register tile. Arrays of 16 are one value per column.
struct TileState {
  alignas(
      64) unsigned char q[kMostColumns * kQueryStride * 4];  // Keys::Operand, kQueryStride apart
  alignas(64) float sums[kMostColumns * kMaxHeadDim];        // weighted values of the span
  alignas(64) float scores[kMostColumns * kKvTileLen];
  alignas(64) unsigned char weights[kMostColumns * kWeightStride * 4];  // Values::Operand, likewise
  alignas(64) float lanes[kMostColumns][16];  // sums of the weights, slot by slot
  alignas(64) float max[16];
  alignas(64) float rescale[16];
  float q_scale[16];    // int8: of the query
  int32_t q_start[16];  // int8: where integer sums start
  int32_t first[16];    // positions that a column sees: [first, last]
  int32_t last[16];
};

/// Partial results merged so far: of one query.
struct Merged {
  float max;
  float sum;  // 0: of nothing yet
  float* values;
};

FORGE_INLINE float sum_of_lanes(const float* lanes) {
  float f[16];
  for (int i = 0; i < 16; ++i) f[i] = lanes[i];
  for (int width = 8; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) f[i] += f[i + width];
  }
  return f[0];
}

FORGE_INLINE float exp2_of(float x) {
  float f[kLanes];
  store(f, exp2(set1(x)));
  return f[0];
}

/// The one way in which spans merge, ascending.
FORGE_INLINE void merge_partial(Merged& into, float max, float sum, const float* values,
                                int64_t padded_dim) {
  if (into.sum == 0.0f) {
    into.max = max;
    into.sum = sum;
    for (int64_t i = 0; i < padded_dim; i += kLanes) store(into.values + i, load(values + i));
    return;
  }
  const float largest = max > into.max ? max : into.max;
  const float a = exp2_of(into.max - largest);
  const float b = exp2_of(max - largest);
  into.max = largest;
  into.sum = into.sum * a + sum * b;
  for (int64_t i = 0; i < padded_dim; i += kLanes) {
    const FloatV scaled = mul(load(into.values + i), set1(a));
    store(into.values + i, fma(load(values + i), set1(b), scaled));
  }
}

/// out = values / sum. Adding zero makes every zero positive: its sign depends on masked positions.
FORGE_INLINE void write_result(const Merged& merged, int64_t head_dim, float* out) {
  const FloatV inverse = set1(1.0f / merged.sum);
  int64_t i = 0;
  for (; i + kLanes <= head_dim; i += kLanes) {
    store(out + i, add(mul(load(merged.values + i), inverse), zero()));
  }
  if (i == head_dim) return;
  float tail[kLanes];
  store(tail, add(mul(load(merged.values + i), inverse), zero()));
  for (int64_t j = i; j < head_dim; ++j) out[j] = tail[j - i];
}

}  // namespace forge::kernels::cpu::FORGE_LEVEL
