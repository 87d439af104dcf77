// The arithmetic every int8 loop shares, so that an output has the same bits whichever loop made
// it.
#pragma once

#include "forge/kernels/cpu/kernel_table.h"
#include "forge/kernels/cpu/level/format.h"

namespace forge::kernels::cpu::FORGE_LEVEL {

/// Up to this many tokens the weights are unpacked anew for every few of them; more pay for the
/// detour through L2. Measured: docs/perf/cpu.md.
inline constexpr int kMaxFusedTokens = 32;

/// The width of activations for many tokens, but for tiles.
inline constexpr int kManyWidth = kIsScalar ? 2 : kLanes == 16 ? 8 : 4;

/// kColumns consecutive tokens of Int8Rows of width kWidth. Where kColumns divides kWidth, or there
/// is no second set of columns, all are in one block and one pointer serves them.
template <int kColumns, int kWidth>
struct Columns {
  const int8_t* q0[kColumns];
  const float* d0[kColumns];
  const int32_t* nsum0[kColumns];
  const int32_t* nsum160[kColumns];

  /// Tokens first, first + 1, ...; past n_tokens others, whose results are dropped.
  FORGE_INLINE Columns(const Int8Rows& x, int32_t first, int32_t n_tokens) {
    constexpr bool kIsOneBlock = kWidth % kColumns == 0 || (kWidth == 8 && kColumns == 6);
    const int64_t block = first / kWidth * kWidth * x.groups + first % kWidth;
    for (int c = 0; c < kColumns; ++c) {
      int64_t slot = block + c;
      if constexpr (!kIsOneBlock) {
        const int64_t t = first + c < n_tokens ? first + c : n_tokens - 1;
        slot = t / kWidth * kWidth * x.groups + t % kWidth;
      }
      q0[c] = x.q + slot * 32;
      d0[c] = x.d + slot;
      nsum0[c] = x.nsum + slot;
      nsum160[c] = x.nsum16 + slot * 2;
    }
  }
  /// Of group g of column c.
  [[nodiscard]] FORGE_INLINE const int8_t* q(int c, int64_t g) const {
    return q0[c] + g * (32 * kWidth);
  }
  [[nodiscard]] FORGE_INLINE const float* d(int c, int64_t g) const { return d0[c] + g * kWidth; }
  [[nodiscard]] FORGE_INLINE const int32_t* nsum(int c, int64_t g) const {
    return nsum0[c] + g * kWidth;
  }
  [[nodiscard]] FORGE_INLINE const int32_t* nsum16(int c, int64_t g) const {
    return nsum160[c] + g * (2 * kWidth);
  }
};

/// Where an integer sum starts: offset times minus the activations' sum.
template <int kOffset>
FORGE_INLINE Int32V start_sum(const int32_t* nsum) {
  if constexpr (kOffset == 0) return zero_i32();
  return set1_i32(kOffset * *nsum);
}

/// One activation group of 32 into the float sum, in the one order there is:
///   t = float(isum0) * s0;  [t = fma(float(isum1), s1, t);]  [t = fma(m, float(-sum), t);]
///   acc = fma(t, d, acc)
template <bool kHasMin, bool kIsPer16>
FORGE_INLINE FloatV accumulate(FloatV acc, Int32V isum0, Int32V isum1, const Scales& s,
                               const float* d, const int32_t* nsum, const int32_t* nsum16) {
  FloatV t = mul(to_float(isum0), s.s[0]);
  if constexpr (kIsPer16) t = fma(to_float(isum1), s.s[1], t);
  if constexpr (kHasMin && kIsPer16) {
    t = fma(s.m[0], to_float(set1_i32(nsum16[0])), t);
    t = fma(s.m[1], to_float(set1_i32(nsum16[1])), t);
  } else if constexpr (kHasMin) {
    t = fma(s.m[0], to_float(set1_i32(*nsum)), t);
  }
  return fma(t, set1(*d), acc);
}

}  // namespace forge::kernels::cpu::FORGE_LEVEL
