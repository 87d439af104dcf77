// AVX2, FMA, F16C, and with __AVXVNNI__ the 256-bit int8 dot: 8 lanes, a cell is two registers.
// See simd.h for what each function means. FORGE_EVEX_VNNI takes that dot from AVX-512 instead, so
// that tests run level avxvnni's code on machines that have only the other encoding.
#pragma once

#include <immintrin.h>

namespace forge::kernels::cpu::FORGE_LEVEL {

inline constexpr int kLanes = 8;
inline constexpr int kRegisters = 16;
inline constexpr bool kIsScalar = false;
#if defined(__AVXVNNI__) || defined(FORGE_EVEX_VNNI)
inline constexpr bool kDotIsSigned = false;
#else
/// 8-bit weights lose their offset of 128 inside dot4 (below), so their sums start at zero.
inline constexpr bool kDotIsSigned = true;
#endif

using CellV = __m256i;
using FloatV = __m256;
using Int32V = __m256i;

FORGE_INLINE CellV load_cell(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}
FORGE_INLINE void store_cell(void* p, CellV v) { _mm256_storeu_si256(static_cast<__m256i*>(p), v); }
FORGE_INLINE CellV set1_byte(int b) { return _mm256_set1_epi8(static_cast<char>(b)); }
FORGE_INLINE CellV bit_and(CellV a, CellV b) { return _mm256_and_si256(a, b); }
FORGE_INLINE CellV bit_or(CellV a, CellV b) { return _mm256_or_si256(a, b); }
FORGE_INLINE CellV bit_xor(CellV a, CellV b) { return _mm256_xor_si256(a, b); }
FORGE_INLINE CellV and_or(CellV a, CellV mask, CellV b) { return bit_or(bit_and(a, mask), b); }
template <int n>
FORGE_INLINE CellV shift_right(CellV a) {
  if constexpr (n == 0) return a;
  return _mm256_srli_epi32(a, n);
}
template <int n>
FORGE_INLINE CellV shift_left(CellV a) {
  if constexpr (n == 0) return a;
  return _mm256_slli_epi32(a, n);
}
FORGE_INLINE CellV lookup16(CellV a, const uint8_t* table) {
  const __m128i t = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
  return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(t), a);
}

FORGE_INLINE Int32V zero_i32() { return _mm256_setzero_si256(); }
FORGE_INLINE Int32V set1_i32(int32_t x) { return _mm256_set1_epi32(x); }
FORGE_INLINE Int32V add_i32(Int32V a, Int32V b) { return _mm256_add_epi32(a, b); }
FORGE_INLINE Int32V broadcast4(const void* p) {
  return _mm256_set1_epi32(*static_cast<const int32_t*>(p));
}
template <int kBits>
FORGE_INLINE Int32V dot4(Int32V acc, CellV weight, Int32V activation) {
#if defined(__AVXVNNI__)
  return _mm256_dpbusd_avx_epi32(acc, weight, activation);
#elif defined(FORGE_EVEX_VNNI)
  return _mm256_dpbusd_epi32(acc, weight, activation);
#else
  const __m256i ones = _mm256_set1_epi16(1);
  if constexpr (kBits < 8) {
    // maddubs saturates at int16: two products of at most 63 x 127 (127 x 127 would fit too) do
    // not.
    return _mm256_add_epi32(acc, _mm256_madd_epi16(_mm256_maddubs_epi16(weight, activation), ones));
  } else {
    // Signed weight w = code - 128: |w| x (activation with w's sign); 2 x 128 x 127 fits int16.
    const __m256i w = _mm256_xor_si256(weight, _mm256_set1_epi8(static_cast<char>(0x80)));
    const __m256i products =
        _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(activation, w));
    return _mm256_add_epi32(acc, _mm256_madd_epi16(products, ones));
  }
#endif
}

FORGE_INLINE FloatV zero() { return _mm256_setzero_ps(); }
FORGE_INLINE FloatV set1(float x) { return _mm256_set1_ps(x); }
FORGE_INLINE FloatV load(const float* p) { return _mm256_loadu_ps(p); }
FORGE_INLINE void store(float* p, FloatV v) { _mm256_storeu_ps(p, v); }
FORGE_INLINE FloatV add(FloatV a, FloatV b) { return _mm256_add_ps(a, b); }
FORGE_INLINE FloatV sub(FloatV a, FloatV b) { return _mm256_sub_ps(a, b); }
FORGE_INLINE FloatV mul(FloatV a, FloatV b) { return _mm256_mul_ps(a, b); }
FORGE_INLINE FloatV div(FloatV a, FloatV b) { return _mm256_div_ps(a, b); }
FORGE_INLINE FloatV max(FloatV a, FloatV b) { return _mm256_max_ps(a, b); }
FORGE_INLINE FloatV min(FloatV a, FloatV b) { return _mm256_min_ps(a, b); }
FORGE_INLINE FloatV abs(FloatV a) {
  return _mm256_and_ps(a, _mm256_castsi256_ps(_mm256_set1_epi32(0x7FFFFFFF)));
}
FORGE_INLINE FloatV fma(FloatV a, FloatV b, FloatV c) { return _mm256_fmadd_ps(a, b, c); }
FORGE_INLINE FloatV round(FloatV a) {
  return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
FORGE_INLINE FloatV to_float(Int32V a) { return _mm256_cvtepi32_ps(a); }
FORGE_INLINE Int32V to_int32(FloatV a) { return _mm256_cvtps_epi32(a); }
FORGE_INLINE FloatV as_float(Int32V a) { return _mm256_castsi256_ps(a); }
FORGE_INLINE Int32V as_int32(FloatV a) { return _mm256_castps_si256(a); }
FORGE_INLINE FloatV load_f16(const void* p) {
  return _mm256_cvtph_ps(_mm_loadu_si128(static_cast<const __m128i*>(p)));
}
FORGE_INLINE FloatV load_u8(const void* p) {
  return to_float(_mm256_cvtepu8_epi32(_mm_loadl_epi64(static_cast<const __m128i*>(p))));
}
FORGE_INLINE FloatV load_i8(const void* p) {
  return to_float(_mm256_cvtepi8_epi32(_mm_loadl_epi64(static_cast<const __m128i*>(p))));
}
FORGE_INLINE FloatV load_bf16(const void* p) {
  return as_float(_mm256_slli_epi32(
      _mm256_cvtepu16_epi32(_mm_loadu_si128(static_cast<const __m128i*>(p))), 16));
}
FORGE_INLINE void store_i8(int8_t* p, Int32V v) {
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi16(words, words));
}
FORGE_INLINE void store_bf16(uint16_t* p, FloatV v) {
  const __m256i bits = _mm256_castps_si256(v);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i rounded = _mm256_srli_epi32(
      _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF))), 16);
  _mm_storeu_si128(
      reinterpret_cast<__m128i*>(p),
      _mm_packus_epi32(_mm256_castsi256_si128(rounded), _mm256_extracti128_si256(rounded, 1)));
}
FORGE_INLINE void store_f16(uint16_t* p, FloatV v) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}
FORGE_INLINE FloatV and_bits(FloatV a, const uint32_t* mask) {
  return _mm256_and_ps(a, as_float(load_cell(mask)));
}
FORGE_INLINE CellV pair_bf16(FloatV low, FloatV high) {
  return _mm256_blend_epi16(_mm256_srli_epi32(as_int32(low), 16), as_int32(high), 0xAA);
}

FORGE_INLINE float reduce_max(FloatV v) {
  __m128 m = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  m = _mm_max_ps(m, _mm_movehl_ps(m, m));
  return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
}
FORGE_INLINE bool any_nan(FloatV v) {
  return _mm256_movemask_ps(_mm256_cmp_ps(v, v, _CMP_UNORD_Q)) != 0;
}
FORGE_INLINE int32_t reduce_add_i32(Int32V v) {
  __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4E));
  return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xB1)));
}
FORGE_INLINE FloatV scale_by_power(FloatV a, FloatV n) {
  return as_float(_mm256_add_epi32(as_int32(a), _mm256_slli_epi32(to_int32(n), 23)));
}

FORGE_INLINE FloatV dot2_bf16(FloatV acc, CellV weight, Int32V activation) {
  const __m256i high = _mm256_set1_epi32(static_cast<int32_t>(0xFFFF0000));
  acc = fma(as_float(_mm256_slli_epi32(weight, 16)), as_float(_mm256_slli_epi32(activation, 16)),
            acc);
  return fma(as_float(_mm256_and_si256(weight, high)), as_float(_mm256_and_si256(activation, high)),
             acc);
}

FORGE_INLINE void prefetch(const void* p) {
  _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0);
}
FORGE_INLINE void prefetch_l2(const void* p) {
  _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T1);
}

}  // namespace forge::kernels::cpu::FORGE_LEVEL
