// exp and what is made of it, by range reduction and a polynomial.
#pragma once

#include "forge/kernels/cpu/simd/simd.h"

namespace forge::kernels::cpu::FORGE_LEVEL {

/// 2^x for x in [-126, 127], clamped to it: x = n + f, |f| <= 1/2, 2^f as a polynomial of degree 6
/// (minimax on the interval, relative error under 2^-23), at most 2 ulp with the roundings.
FORGE_INLINE FloatV exp2(FloatV x) {
  x = min(max(x, set1(-126.0f)), set1(127.0f));
  const FloatV n = round(x);
  const FloatV f = sub(x, n);
  FloatV p = set1(1.535336188319500e-4f);
  p = fma(p, f, set1(1.339887440266574e-3f));
  p = fma(p, f, set1(9.618437357674640e-3f));
  p = fma(p, f, set1(5.550332471162809e-2f));
  p = fma(p, f, set1(2.402264791363012e-1f));
  p = fma(p, f, set1(6.931472028550421e-1f));
  p = fma(p, f, set1(1.0f));
  return scale_by_power(p, n);
}

/// e^x for x in [-87, 88], clamped to it. The product x log2(e) in two pieces keeps 2 ulp.
FORGE_INLINE FloatV exp(FloatV x) {
  x = min(max(x, set1(-87.0f)), set1(88.0f));
  const FloatV n = round(mul(x, set1(1.44269504f)));
  // ln 2 = 0.693359375 - 2.12194440e-4, the first exact with nine bits.
  FloatV r = fma(n, set1(-0.693359375f), x);
  r = fma(n, set1(2.12194440e-4f), r);
  FloatV p = set1(1.0f / 720.0f);
  p = fma(p, r, set1(1.0f / 120.0f));
  p = fma(p, r, set1(1.0f / 24.0f));
  p = fma(p, r, set1(1.0f / 6.0f));
  p = fma(p, r, set1(0.5f));
  p = fma(p, r, set1(1.0f));
  p = fma(p, r, set1(1.0f));
  return scale_by_power(p, n);
}

}  // namespace forge::kernels::cpu::FORGE_LEVEL
