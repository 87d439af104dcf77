// Armv8-A, with the int8 dot where the level has it (dotprod), and dots of unsigned by signed bytes
// and of bf16 (i8mm): 4 lanes, a cell is four registers. See simd.h for what each function means.
#pragma once

#include <arm_neon.h>

namespace forge::kernels::cpu::FORGE_LEVEL {

inline constexpr int kLanes = 4;
inline constexpr int kRegisters = 32;
inline constexpr bool kIsScalar = false;
#ifdef __ARM_FEATURE_MATMUL_INT8
inline constexpr bool kDotIsSigned = false;
#else
/// The dot takes signed bytes: 8-bit weights lose their offset of 128 inside dot4, so their sums
/// start at zero.
inline constexpr bool kDotIsSigned = true;
#endif

using CellV = uint8x16_t;
using FloatV = float32x4_t;
using Int32V = int32x4_t;

FORGE_INLINE CellV load_cell(const void* p) { return vld1q_u8(static_cast<const uint8_t*>(p)); }
FORGE_INLINE void store_cell(void* p, CellV v) { vst1q_u8(static_cast<uint8_t*>(p), v); }
FORGE_INLINE CellV set1_byte(int b) { return vdupq_n_u8(static_cast<uint8_t>(b)); }
FORGE_INLINE CellV bit_and(CellV a, CellV b) { return vandq_u8(a, b); }
FORGE_INLINE CellV bit_or(CellV a, CellV b) { return vorrq_u8(a, b); }
FORGE_INLINE CellV bit_xor(CellV a, CellV b) { return veorq_u8(a, b); }
FORGE_INLINE CellV and_or(CellV a, CellV mask, CellV b) { return bit_or(bit_and(a, mask), b); }
template <int n>
FORGE_INLINE CellV shift_right(CellV a) {
  if constexpr (n == 0) {
    return a;
  } else {
    return vreinterpretq_u8_u32(vshrq_n_u32(vreinterpretq_u32_u8(a), n));
  }
}
template <int n>
FORGE_INLINE CellV shift_left(CellV a) {
  if constexpr (n == 0) {
    return a;
  } else {
    return vreinterpretq_u8_u32(vshlq_n_u32(vreinterpretq_u32_u8(a), n));
  }
}
FORGE_INLINE CellV lookup16(CellV a, const uint8_t* table) {
  return vqtbl1q_u8(vld1q_u8(table), a);
}

FORGE_INLINE Int32V zero_i32() { return vdupq_n_s32(0); }
FORGE_INLINE Int32V set1_i32(int32_t x) { return vdupq_n_s32(x); }
FORGE_INLINE Int32V add_i32(Int32V a, Int32V b) { return vaddq_s32(a, b); }
FORGE_INLINE Int32V broadcast4(const void* p) {
  int32_t x;
  __builtin_memcpy(&x, p, sizeof x);
  return vdupq_n_s32(x);
}
template <int kBits>
FORGE_INLINE Int32V dot4(Int32V acc, CellV weight, Int32V activation) {
  const int8x16_t a = vreinterpretq_s8_s32(activation);
#ifdef __ARM_FEATURE_MATMUL_INT8
  return vusdotq_s32(acc, weight, a);
#else
  // Up to 7 bits are signed as they are.
  const int8x16_t w = vreinterpretq_s8_u8(kBits < 8 ? weight : bit_xor(weight, set1_byte(0x80)));
#ifdef __ARM_FEATURE_DOTPROD
  return vdotq_s32(acc, w, a);
#else
  // Sums of two products: at most 2 x 128 x 127, which int16 holds.
  const int16x8_t low = vmull_s8(vget_low_s8(w), vget_low_s8(a));
  const int16x8_t high = vmull_high_s8(w, a);
  return vpadalq_s16(acc, vpaddq_s16(low, high));
#endif
#endif
}

FORGE_INLINE FloatV zero() { return vdupq_n_f32(0.0f); }
FORGE_INLINE FloatV set1(float x) { return vdupq_n_f32(x); }
FORGE_INLINE FloatV load(const float* p) { return vld1q_f32(p); }
FORGE_INLINE void store(float* p, FloatV v) { vst1q_f32(p, v); }
FORGE_INLINE FloatV add(FloatV a, FloatV b) { return vaddq_f32(a, b); }
FORGE_INLINE FloatV sub(FloatV a, FloatV b) { return vsubq_f32(a, b); }
FORGE_INLINE FloatV mul(FloatV a, FloatV b) { return vmulq_f32(a, b); }
FORGE_INLINE FloatV div(FloatV a, FloatV b) { return vdivq_f32(a, b); }
FORGE_INLINE FloatV max(FloatV a, FloatV b) { return vmaxq_f32(a, b); }
FORGE_INLINE FloatV min(FloatV a, FloatV b) { return vminq_f32(a, b); }
FORGE_INLINE FloatV abs(FloatV a) { return vabsq_f32(a); }
FORGE_INLINE FloatV fma(FloatV a, FloatV b, FloatV c) { return vfmaq_f32(c, a, b); }
FORGE_INLINE FloatV round(FloatV a) { return vrndnq_f32(a); }
FORGE_INLINE FloatV to_float(Int32V a) { return vcvtq_f32_s32(a); }
FORGE_INLINE Int32V to_int32(FloatV a) { return vcvtnq_s32_f32(a); }
FORGE_INLINE FloatV as_float(Int32V a) { return vreinterpretq_f32_s32(a); }
FORGE_INLINE Int32V as_int32(FloatV a) { return vreinterpretq_s32_f32(a); }
FORGE_INLINE FloatV load_f16(const void* p) {
  uint16x4_t h;
  __builtin_memcpy(&h, p, sizeof h);
  return vcvt_f32_f16(vreinterpret_f16_u16(h));
}
/// Four bytes in the low half of a register.
FORGE_INLINE uint8x8_t load_four(const void* p) {
  uint32_t bytes;
  __builtin_memcpy(&bytes, p, sizeof bytes);
  return vreinterpret_u8_u32(vdup_n_u32(bytes));
}
FORGE_INLINE FloatV load_u8(const void* p) {
  return vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(load_four(p)))));
}
FORGE_INLINE FloatV load_i8(const void* p) {
  const int8x8_t bytes = vreinterpret_s8_u8(load_four(p));
  return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(bytes))));
}
FORGE_INLINE FloatV load_bf16(const void* p) {
  uint16x4_t h;
  __builtin_memcpy(&h, p, sizeof h);
  return vreinterpretq_f32_u32(vshll_n_u16(h, 16));
}
FORGE_INLINE void store_i8(int8_t* p, Int32V v) {
  const int16x4_t words = vmovn_s32(v);
  const int8x8_t bytes = vmovn_s16(vcombine_s16(words, words));
  const uint32_t four = vget_lane_u32(vreinterpret_u32_s8(bytes), 0);
  __builtin_memcpy(p, &four, sizeof four);
}
FORGE_INLINE void store_bf16(uint16_t* p, FloatV v) {
  const uint32x4_t bits = vreinterpretq_u32_f32(v);
  const uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
  const uint32x4_t sum = vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7FFF)));
  const uint16x4_t rounded = vshrn_n_u32(sum, 16);
  __builtin_memcpy(p, &rounded, sizeof rounded);
}

FORGE_INLINE void store_f16(uint16_t* p, FloatV v) {
  const uint16x4_t h = vreinterpret_u16_f16(vcvt_f16_f32(v));
  __builtin_memcpy(p, &h, sizeof h);
}
FORGE_INLINE FloatV and_bits(FloatV a, const uint32_t* mask) {
  return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(a), vld1q_u32(mask)));
}
FORGE_INLINE CellV pair_bf16(FloatV low, FloatV high) {
  const uint32x4_t high_bits = vreinterpretq_u32_f32(high);
  return vreinterpretq_u8_u32(vsriq_n_u32(high_bits, vreinterpretq_u32_f32(low), 16));
}

FORGE_INLINE float reduce_max(FloatV v) { return vmaxvq_f32(v); }
FORGE_INLINE bool any_nan(FloatV v) { return vminvq_u32(vceqq_f32(v, v)) == 0; }
FORGE_INLINE int32_t reduce_add_i32(Int32V v) { return vaddvq_s32(v); }
FORGE_INLINE FloatV scale_by_power(FloatV a, FloatV n) {
  return as_float(vaddq_s32(as_int32(a), vshlq_n_s32(to_int32(n), 23)));
}

FORGE_INLINE FloatV dot2_bf16(FloatV acc, CellV weight, Int32V activation) {
#ifdef __ARM_FEATURE_BF16_VECTOR_ARITHMETIC
  return vbfdotq_f32(acc, vreinterpretq_bf16_u8(weight), vreinterpretq_bf16_s32(activation));
#else
  const int32x4_t w = vreinterpretq_s32_u8(weight);
  const int32x4_t high = vdupq_n_s32(static_cast<int32_t>(0xFFFF0000));
  acc = fma(as_float(vshlq_n_s32(w, 16)), as_float(vshlq_n_s32(activation, 16)), acc);
  return fma(as_float(vandq_s32(w, high)), as_float(vandq_s32(activation, high)), acc);
#endif
}

FORGE_INLINE void prefetch(const void* p) { __builtin_prefetch(p); }
FORGE_INLINE void prefetch_l2(const void* p) { __builtin_prefetch(p, 0, 2); }

}  // namespace forge::kernels::cpu::FORGE_LEVEL
