// Arithmetic whose rounding matters: bf16 and f16 pairs, TF32, and the approximations that are good
// enough.
//
// A pair is 32 bits, element 0 in the low half. Conversions round to nearest, ties to even.
// Reference: PTX ISA, "Floating Point Instructions", "cvt".
#pragma once

#include <cmath>

#include "forge/kernels/cuda/device/platform.h"
#if !defined(FORGE_SIMT)
#include <cuda_fp16.h>
#endif

namespace forge::kernels::cuda {

/// Two bf16 values in 32 bits.
using Bf16x2 = uint32_t;
using F16x2 = uint32_t;

#if defined(FORGE_SIMT)

FORGE_DEVICE float bits_as_float(uint32_t bits) { return __builtin_bit_cast(float, bits); }
FORGE_DEVICE uint32_t float_as_bits(float value) { return __builtin_bit_cast(uint32_t, value); }
FORGE_DEVICE Bf16x2 pack_bf16(float low, float high) { return simt::pack_bf16(low, high); }
FORGE_DEVICE F16x2 pack_f16(float low, float high) { return simt::pack_f16(low, high); }
FORGE_DEVICE float f16_low(F16x2 pair) { return simt::f16_of(pair & 0xFFFFu); }
FORGE_DEVICE float f16_high(F16x2 pair) { return simt::f16_of(pair >> 16); }
FORGE_DEVICE Bf16x2 fma_bf16x2(Bf16x2 a, Bf16x2 b, Bf16x2 c) { return simt::fma_bf16x2(a, b, c); }
FORGE_DEVICE F16x2 fma_f16x2(F16x2 a, F16x2 b, F16x2 c) { return simt::fma_f16x2(a, b, c); }
FORGE_DEVICE uint32_t select_bytes(uint32_t a, uint32_t b, uint32_t selector) {
  const uint64_t bytes = uint64_t{b} << 32 | a;
  uint32_t result = 0;
  for (int i = 0; i < 4; ++i) {
    const uint32_t at = selector >> (4 * i) & 7u;
    result |= static_cast<uint32_t>(bytes >> (8 * at) & 0xFFu) << (8 * i);
  }
  return result;
}
FORGE_DEVICE uint32_t round_tf32(float value) { return simt::round_tf32(value); }
FORGE_DEVICE float fused(float a, float b, float c) { return std::fma(a, b, c); }
FORGE_DEVICE float exp2_fast(float x) { return std::exp2(x); }
FORGE_DEVICE float divide_fast(float a, float b) { return a / b; }

#else

FORGE_DEVICE float bits_as_float(uint32_t bits) { return __uint_as_float(bits); }
FORGE_DEVICE uint32_t float_as_bits(float value) { return __float_as_uint(value); }
FORGE_DEVICE Bf16x2 pack_bf16(float low, float high) {
  Bf16x2 pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
}
FORGE_DEVICE F16x2 pack_f16(float low, float high) {
  F16x2 pair;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
}
FORGE_DEVICE float f16_low(F16x2 pair) {
  float value;
  asm("{.reg .f16 low, high; mov.b32 {low, high}, %1; cvt.f32.f16 %0, low;}"
      : "=f"(value)
      : "r"(pair));
  return value;
}
FORGE_DEVICE float f16_high(F16x2 pair) {
  float value;
  asm("{.reg .f16 low, high; mov.b32 {low, high}, %1; cvt.f32.f16 %0, high;}"
      : "=f"(value)
      : "r"(pair));
  return value;
}
/// a * b + c of both elements, rounded once.
FORGE_DEVICE Bf16x2 fma_bf16x2(Bf16x2 a, Bf16x2 b, Bf16x2 c) {
  Bf16x2 d;
  asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(d) : "r"(a), "r"(b), "r"(c));
  return d;
}
FORGE_DEVICE F16x2 fma_f16x2(F16x2 a, F16x2 b, F16x2 c) {
  F16x2 d;
  asm("fma.rn.f16x2 %0, %1, %2, %3;" : "=r"(d) : "r"(a), "r"(b), "r"(c));
  return d;
}
/// The nearest of TF32, ties away from zero; the 13 bits that it does not have are zeros.
FORGE_DEVICE uint32_t round_tf32(float value) {
  uint32_t bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value));
  return bits & 0xFFFFE000u;
}
/// Byte i of the result is byte (selector >> 4 i & 7) of a (0..3) and b (4..7).
FORGE_DEVICE uint32_t select_bytes(uint32_t a, uint32_t b, uint32_t selector) {
  return __byte_perm(a, b, selector);
}
/// a * b + c, rounded once.
FORGE_DEVICE float fused(float a, float b, float c) { return __fmaf_rn(a, b, c); }
/// 2^x within 2 ulp; 2^-infinity is 0. The CPU's stand-in rounds better.
FORGE_DEVICE float exp2_fast(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
/// a / b within 2 ulp.
FORGE_DEVICE float divide_fast(float a, float b) { return __fdividef(a, b); }

#endif

/// A float's bits as two numbers of TF32 whose sum is within 2^-23 of it: the nearest one, and what
/// is left, cut off. Four instructions at full rate, which conversions are not. Where there are no
/// such two, for infinities and what is not a number, `low` is not a number.
FORGE_DEVICE void split_f32(uint32_t bits, uint32_t& high, uint32_t& low) {
  high = (bits + 0x1000u) & 0xFFFFE000u;
  low = float_as_bits(bits_as_float(bits) - bits_as_float(high)) & 0xFFFFE000u;
}

inline constexpr float kLog2E = 1.4426950408889634f;

FORGE_DEVICE float bf16_low(Bf16x2 pair) { return bits_as_float(pair << 16); }
FORGE_DEVICE float bf16_high(Bf16x2 pair) { return bits_as_float(pair & 0xFFFF0000u); }
FORGE_DEVICE float larger(float a, float b) { return a > b ? a : b; }

}  // namespace forge::kernels::cuda
