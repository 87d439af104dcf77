// The arithmetic every int8 loop shares, so that an output has the same bits whichever loop made
// it.
#pragma once

#include "forge/kernels/cpu/kernel_table.h"
#include "forge/kernels/cpu/level/format.h"

namespace forge::kernels::cpu::FORGE_LEVEL {

/// Pointers into Int8Rows for kColumns consecutive tokens.
template <int kColumns>
struct Columns {
  const int8_t* q[kColumns];
  const float* d[kColumns];
  const int32_t* nsum[kColumns];
  const int32_t* nsum16[kColumns];

  /// Tokens first, first + 1, ...; past n_tokens the last one again, whose results are dropped.
  FORGE_INLINE Columns(const Int8Rows& x, int32_t first, int32_t n_tokens) {
    for (int c = 0; c < kColumns; ++c) {
      const int64_t t = first + c < n_tokens ? first + c : n_tokens - 1;
      q[c] = x.q + t * x.k_padded;
      d[c] = x.d + t * (x.k_padded / 32);
      nsum[c] = x.nsum + t * (x.k_padded / 32);
      nsum16[c] = x.nsum16 + t * (x.k_padded / 16);
    }
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
