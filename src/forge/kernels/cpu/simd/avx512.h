// AVX-512 (F, BW, VL, DQ, VNNI): 16 lanes, one register per cell. See simd.h for what each means.
#pragma once

#include <immintrin.h>

namespace forge::kernels::cpu::FORGE_LEVEL {

inline constexpr int kLanes = 16;
inline constexpr int kRegisters = 32;
inline constexpr bool kIsScalar = false;
/// dot4 takes weights as unsigned bytes: sums start at minus offset times the activations' sum.
inline constexpr bool kDotIsSigned = false;

using CellV = __m512i;   // kLanes x 4 bytes
using FloatV = __m512;   // kLanes x f32
using Int32V = __m512i;  // kLanes x i32

FORGE_INLINE CellV load_cell(const void* p) { return _mm512_loadu_si512(p); }
FORGE_INLINE void store_cell(void* p, CellV v) { _mm512_storeu_si512(p, v); }
FORGE_INLINE CellV set1_byte(int b) { return _mm512_set1_epi8(static_cast<char>(b)); }
FORGE_INLINE CellV bit_and(CellV a, CellV b) { return _mm512_and_si512(a, b); }
FORGE_INLINE CellV bit_or(CellV a, CellV b) { return _mm512_or_si512(a, b); }
FORGE_INLINE CellV bit_xor(CellV a, CellV b) { return _mm512_xor_si512(a, b); }
/// (a & mask) | b
FORGE_INLINE CellV and_or(CellV a, CellV mask, CellV b) {
  return _mm512_ternarylogic_epi32(a, mask, b, 0xEA);
}
template <int n>
FORGE_INLINE CellV shift_right(CellV a) {
  if constexpr (n == 0) return a;
  return _mm512_srli_epi32(a, n);
}
template <int n>
FORGE_INLINE CellV shift_left(CellV a) {
  if constexpr (n == 0) return a;
  return _mm512_slli_epi32(a, n);
}
/// Byte i of the result is table[a's byte i], bytes of a < 16.
FORGE_INLINE CellV lookup16(CellV a, const uint8_t* table) {
  const __m128i t = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
  return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(t), a);
}

FORGE_INLINE Int32V zero_i32() { return _mm512_setzero_si512(); }
FORGE_INLINE Int32V set1_i32(int32_t x) { return _mm512_set1_epi32(x); }
FORGE_INLINE Int32V add_i32(Int32V a, Int32V b) { return _mm512_add_epi32(a, b); }
/// Four bytes of an activation, in every lane.
FORGE_INLINE Int32V broadcast4(const void* p) {
  return _mm512_set1_epi32(*static_cast<const int32_t*>(p));
}
/// acc[lane] += sum of four products, weight byte of kBits significant bits x activation byte.
template <int kBits>
FORGE_INLINE Int32V dot4(Int32V acc, CellV weight, Int32V activation) {
  return _mm512_dpbusd_epi32(acc, weight, activation);
}

FORGE_INLINE FloatV zero() { return _mm512_setzero_ps(); }
FORGE_INLINE FloatV set1(float x) { return _mm512_set1_ps(x); }
FORGE_INLINE FloatV load(const float* p) { return _mm512_loadu_ps(p); }
FORGE_INLINE void store(float* p, FloatV v) { _mm512_storeu_ps(p, v); }
FORGE_INLINE FloatV add(FloatV a, FloatV b) { return _mm512_add_ps(a, b); }
FORGE_INLINE FloatV sub(FloatV a, FloatV b) { return _mm512_sub_ps(a, b); }
FORGE_INLINE FloatV mul(FloatV a, FloatV b) { return _mm512_mul_ps(a, b); }
FORGE_INLINE FloatV div(FloatV a, FloatV b) { return _mm512_div_ps(a, b); }
FORGE_INLINE FloatV max(FloatV a, FloatV b) { return _mm512_max_ps(a, b); }
FORGE_INLINE FloatV min(FloatV a, FloatV b) { return _mm512_min_ps(a, b); }
FORGE_INLINE FloatV abs(FloatV a) { return _mm512_abs_ps(a); }
/// a * b + c, rounded once.
FORGE_INLINE FloatV fma(FloatV a, FloatV b, FloatV c) { return _mm512_fmadd_ps(a, b, c); }
/// To the nearest integer, ties to even.
FORGE_INLINE FloatV round(FloatV a) {
  return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
FORGE_INLINE FloatV to_float(Int32V a) { return _mm512_cvtepi32_ps(a); }
/// Nearest, ties to even.
FORGE_INLINE Int32V to_int32(FloatV a) { return _mm512_cvtps_epi32(a); }
FORGE_INLINE FloatV as_float(Int32V a) { return _mm512_castsi512_ps(a); }
FORGE_INLINE Int32V as_int32(FloatV a) { return _mm512_castps_si512(a); }
FORGE_INLINE FloatV load_f16(const void* p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(static_cast<const __m256i*>(p)));
}
FORGE_INLINE FloatV load_u8(const void* p) {
  return to_float(_mm512_cvtepu8_epi32(_mm_loadu_si128(static_cast<const __m128i*>(p))));
}
FORGE_INLINE FloatV load_i8(const void* p) {
  return to_float(_mm512_cvtepi8_epi32(_mm_loadu_si128(static_cast<const __m128i*>(p))));
}
/// kLanes bf16 numbers, widened.
FORGE_INLINE FloatV load_bf16(const void* p) {
  return as_float(_mm512_slli_epi32(
      _mm512_cvtepu16_epi32(_mm256_loadu_si256(static_cast<const __m256i*>(p))), 16));
}
/// kLanes integers in [-128, 127] as bytes.
FORGE_INLINE void store_i8(int8_t* p, Int32V v) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(v));
}
/// Nearest bf16, ties to even; finite inputs. The instruction makes zeros of subnormals, as its dot
/// product does.
FORGE_INLINE void store_bf16(uint16_t* p, FloatV v) {
#ifdef __AVX512BF16__
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                      reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(v)));
#else
  const __m512i bits = _mm512_castps_si512(v);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i sum = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF)));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                      _mm512_cvtepi32_epi16(_mm512_srli_epi32(sum, 16)));
#endif
}
/// Nearest f16, ties to even; no larger than 65504.
FORGE_INLINE void store_f16(uint16_t* p, FloatV v) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}
/// The bits of a where those of a mask at `mask`, one word per lane, are set; others zero.
FORGE_INLINE FloatV and_bits(FloatV a, const uint32_t* mask) {
  return as_float(_mm512_and_si512(as_int32(a), _mm512_loadu_si512(mask)));
}
/// A cell of bf16 pairs (low, high) from numbers that bf16 has exactly.
FORGE_INLINE CellV pair_bf16(FloatV low, FloatV high) {
  const __m512i top = _mm512_set1_epi32(static_cast<int32_t>(0xFFFF0000));
  return and_or(as_int32(high), top, _mm512_srli_epi32(as_int32(low), 16));
}

/// The largest lane.
FORGE_INLINE float reduce_max(FloatV v) { return _mm512_reduce_max_ps(v); }
FORGE_INLINE bool any_nan(FloatV v) { return _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q) != 0; }
FORGE_INLINE int32_t reduce_add_i32(Int32V v) { return _mm512_reduce_add_epi32(v); }
/// a * 2^n, n integers in [-126, 127], the result normal.
FORGE_INLINE FloatV scale_by_power(FloatV a, FloatV n) { return _mm512_scalef_ps(a, n); }

/// acc[lane] += w[2 lane] * a[0] + w[2 lane + 1] * a[1]: bf16 pairs, the activation's pair in every
/// lane. The order of the two additions is the level's.
FORGE_INLINE FloatV dot2_bf16(FloatV acc, CellV weight, Int32V activation) {
#ifdef __AVX512BF16__
  return _mm512_dpbf16_ps(acc, reinterpret_cast<__m512bh>(weight),
                          reinterpret_cast<__m512bh>(activation));
#else
  const __m512i high = _mm512_set1_epi32(static_cast<int32_t>(0xFFFF0000));
  acc = fma(as_float(_mm512_slli_epi32(weight, 16)), as_float(_mm512_slli_epi32(activation, 16)),
            acc);
  return fma(as_float(_mm512_and_si512(weight, high)), as_float(_mm512_and_si512(activation, high)),
             acc);
#endif
}

FORGE_INLINE void prefetch(const void* p) {
  _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0);
}
/// Into L2 only: more of these can be under way than of loads and prefetches into L1.
FORGE_INLINE void prefetch_l2(const void* p) {
  _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T1);
}

}  // namespace forge::kernels::cpu::FORGE_LEVEL
