// The types of the KV cache: which cells keys and values are, and what int8 needs besides.
#pragma once

#include "forge/kernels/cpu/attention_task.h"
#include "forge/kernels/cpu/level/attention_softmax.h"

namespace forge::kernels::cpu::FORGE_LEVEL {

struct Bf16Kv {
  using Keys = PairCells;
  using Values = PairCells;
  static constexpr bool kIsInt8 = false;
};
struct F16Kv {
  using Keys = HalfCells;
  using Values = HalfCells;
  static constexpr bool kIsInt8 = false;
};
struct F32Kv {
  using Keys = FloatCells;
  using Values = FloatCells;
  static constexpr bool kIsInt8 = false;
};
/// Keys multiply an int8 query exactly. Values are widened to bf16, which is exact too, and their
/// scales go into the weights.
struct Int8Kv {
  using Keys = ByteCells;
  using Values = PairCells;
  static constexpr bool kIsInt8 = true;
};

/// The query of column c, scaled by `factor` and rounded to what keys are multiplied by.
FORGE_INLINE void store_query(TileState& state, int c, const float* q, PairCells, int64_t n) {
  auto* to = reinterpret_cast<uint16_t*>(state.q) + c * kQueryStride;
  for (int64_t i = 0; i < n; i += kLanes) store_bf16(to + i, load(q + i));
}
FORGE_INLINE void store_query(TileState& state, int c, const float* q, FloatCells, int64_t n) {
  auto* to = reinterpret_cast<float*>(state.q) + c * kQueryStride;
  for (int64_t i = 0; i < n; i += kLanes) store(to + i, load(q + i));
}
FORGE_INLINE void store_query(TileState& state, int c, const float* q, ByteCells, int64_t n) {
  auto* to = reinterpret_cast<int8_t*>(state.q) + c * kQueryStride;
  FloatV largest = zero();
  for (int64_t i = 0; i < n; i += kLanes) largest = max(largest, abs(load(q + i)));
  const float m = reduce_max(largest);
  const bool is_zero = !(m > 1.5e-36f);  // 127 / m would overflow below 2^-119
  const FloatV inverse = set1(is_zero ? 0.0f : 127.0f / m);
  Int32V sum = zero_i32();
  for (int64_t i = 0; i < n; i += kLanes) {
    const Int32V v = to_int32(mul(load(q + i), inverse));
    store_i8(to + i, v);
    sum = add_i32(sum, v);
  }
  state.q_scale[c] = is_zero ? 0.0f : m / 127.0f;
  state.q_start[c] = kDotIsSigned ? 0 : -128 * reduce_add_i32(sum);
}

/// Where a score's sum starts, and the score.
FORGE_INLINE FloatV start_score(const TileState&, int, FloatV*) { return zero(); }
FORGE_INLINE Int32V start_score(const TileState& state, int c, Int32V*) {
  return set1_i32(state.q_start[c]);
}

/// int8 values of a head block as bf16 cells; v is its V part. `ahead` as in multiply_cells.
FORGE_INLINE void widen_values(const std::byte* v, int64_t n_panels, std::byte* cells,
                               const std::byte* ahead) {
  for (int64_t i = 0; i < n_panels * (kKvBlockLen / 2); ++i) {
    const std::byte* rows = v + kKvScaleBytes + i * 32;
    prefetch_l2(ahead + i * 32);
    for (int p = 0; p < kParts; ++p) {
      store_cell(cells + i * 64 + p * kPartBytes,
                 pair_bf16(load_i8(rows + p * kLanes), load_i8(rows + 16 + p * kLanes)));
    }
  }
}

/// int8: the weights of a block's 16 tokens times the scales of its values.
FORGE_INLINE void scale_weights(uint16_t* weights, const std::byte* v) {
  const auto* scales = reinterpret_cast<const float*>(v);
  for (int i = 0; i < kKvBlockLen; i += kLanes) {
    store_bf16(weights + i, mul(load_bf16(weights + i), load(scales + i)));
  }
}

}  // namespace forge::kernels::cpu::FORGE_LEVEL
