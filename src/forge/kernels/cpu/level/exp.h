// exp and what is made of it, by range reduction and a polynomial.
#pragma once

#include "forge/kernels/cpu/simd/simd.h"

namespace forge::kernels::cpu::FORGE_LEVEL {

/// 2^x for x in [-126, 127], clamped to it: x = n + f, |f| <= 1/2, 2^f as a polynomial of degree 6
/// (minimax on the interval, relative error under 2^-25), at most 2 ulp with the roundings.
FORGE_INLINE FloatV exp2(FloatV x) {
  x = min(max(x, set1(-126.0f)), set1(127.0f));
  const FloatV n = round(x);
  const FloatV f = sub(x, n);
  FloatV p = set1(1.5353362e-4f);
  p = fma(p, f, set1(1.3398874e-3f));
  p = fma(p, f, set1(9.618437e-3f));
  p = fma(p, f, set1(5.5503324e-2f));
  p = fma(p, f, set1(2.4022648e-1f));
  p = fma(p, f, set1(6.931472e-1f));
  p = fma(p, f, set1(1.0f));
  return scale_by_power(p, n);
}

/// 2^x for x <= 0, clamped at -126, to be rounded to bf16: degree 4, relative error under 2^-18.
FORGE_INLINE FloatV exp2_for_bf16(FloatV x) {
  x = max(x, set1(-126.0f));
  const FloatV n = round(x);
  const FloatV f = sub(x, n);
  FloatV p = set1(9.582853e-3f);
  p = fma(p, f, set1(5.5906426e-2f));
  p = fma(p, f, set1(2.4024099e-1f));
  p = fma(p, f, set1(6.931242e-1f));
  p = fma(p, f, set1(1.0f));
  return scale_by_power(p, n);
}

/// e^x for x in [-103, 88], clamped to it; at most 2 ulp, of subnormal results too. x = n ln 2 + r,
/// |r| <= ln(2) / 2, e^r as a minimax polynomial of degree 6, relative error under 2^-25.
FORGE_INLINE FloatV exp(FloatV x) {
  x = min(max(x, set1(-103.0f)), set1(88.0f));
  const FloatV n = round(mul(x, set1(1.44269504f)));
  // ln 2 = 0.693359375 - 2.12194440e-4, the first exact with nine bits.
  FloatV r = fma(n, set1(-0.693359375f), x);
  r = fma(n, set1(2.12194440e-4f), r);
  FloatV p = set1(1.3843654e-3f);
  p = fma(p, r, set1(8.3741555e-3f));
  p = fma(p, r, set1(4.1668002e-2f));
  p = fma(p, r, set1(1.6666432e-1f));
  p = fma(p, r, set1(0.49999994f));
  p = fma(p, r, set1(1.0f));
  p = fma(p, r, set1(1.0f));
  // 2^n in two factors: the first product is normal and exact, the second rounds once.
  const FloatV half = round(mul(n, set1(0.5f)));
  return mul(scale_by_power(p, half), scale_by_power(set1(1.0f), sub(n, half)));
}

}  // namespace forge::kernels::cpu::FORGE_LEVEL
