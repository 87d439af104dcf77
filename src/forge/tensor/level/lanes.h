// Vectors of the level being compiled, for the encoders. Level code (tensor/level/) is compiled
// once per level of levels.cmake in a namespace of its own.
//
// A lane computes what a scalar would, operation by operation, and no sum crosses lanes: so the
// bits of a result are the same at every level. kernels/cpu/simd has more levels and operations,
// but lies above this layer, and its levels round differently.
//
// Levels must not share inline functions, or the linker may keep one compiled for another machine:
// level code uses no std:: function, only plain types, builtins and what it defines itself.
#pragma once

#include <cstddef>
#include <cstdint>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

#define FORGE_LANES_INLINE [[gnu::always_inline]] inline

namespace forge::FORGE_TENSOR_LEVEL {

#if defined(__AVX512F__)
inline constexpr int kLanes = 16;
#elif defined(__AVX2__)
inline constexpr int kLanes = 8;
#else
inline constexpr int kLanes = 4;  // SSE2, NEON
#endif

// Comparisons give lanes of 0 and -1, "mask ? a : b" chooses by lane.
typedef float Lanes __attribute__((vector_size(4 * kLanes)));
typedef int32_t Ints __attribute__((vector_size(4 * kLanes)));
typedef double HalfDoubles __attribute__((vector_size(4 * kLanes)));
typedef float HalfLanes __attribute__((vector_size(2 * kLanes)));

FORGE_LANES_INLINE Lanes load(const float* p) {
  Lanes v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
FORGE_LANES_INLINE void store(float* p, Lanes v) { __builtin_memcpy(p, &v, sizeof v); }
FORGE_LANES_INLINE Lanes set1(float x) { return x - Lanes{}; }
// max: a > b ? a : b, and min: a < b ? a : b, for which g++ 12 makes two instructions of that.
// nearest: of ties the even one; |v| < 2^22.
#if defined(__AVX512F__)
FORGE_LANES_INLINE Lanes max(Lanes a, Lanes b) { return _mm512_max_ps(a, b); }
FORGE_LANES_INLINE Lanes min(Lanes a, Lanes b) { return _mm512_min_ps(a, b); }
FORGE_LANES_INLINE Lanes nearest(Lanes v) {
  return _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
#elif defined(__AVX2__)
FORGE_LANES_INLINE Lanes max(Lanes a, Lanes b) { return _mm256_max_ps(a, b); }
FORGE_LANES_INLINE Lanes min(Lanes a, Lanes b) { return _mm256_min_ps(a, b); }
FORGE_LANES_INLINE Lanes nearest(Lanes v) {
  return _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
#else
#if defined(__SSE2__)
FORGE_LANES_INLINE Lanes max(Lanes a, Lanes b) { return _mm_max_ps(a, b); }
FORGE_LANES_INLINE Lanes min(Lanes a, Lanes b) { return _mm_min_ps(a, b); }
#else
FORGE_LANES_INLINE Lanes max(Lanes a, Lanes b) { return a > b ? a : b; }
FORGE_LANES_INLINE Lanes min(Lanes a, Lanes b) { return a < b ? a : b; }
#endif
FORGE_LANES_INLINE Lanes nearest(Lanes v) {
  constexpr float kMagic = 12582912.0f;  // 1.5 * 2^23: adding it leaves no fraction bits
  return (v + kMagic) - kMagic;          // +0 where the others have -0: no code knows
}
#endif
FORGE_LANES_INLINE Lanes abs(Lanes a) {
  return reinterpret_cast<Lanes>(reinterpret_cast<Ints>(a) & 0x7FFFFFFF);
}
FORGE_LANES_INLINE bool any(Ints mask) {
  int32_t all = 0;
  for (int l = 0; l < kLanes; ++l) all |= mask[l];
  return all != 0;
}

/// Nearest integer within [low, high]; |low|, |high| < 2^22.
FORGE_LANES_INLINE Lanes rounded_into(Lanes v, float low, float high) {
  return nearest(min(max(v, set1(low)), set1(high)));
}

/// 1 / scale, or 0 where the scale is too small to matter beside values of magnitude one.
FORGE_LANES_INLINE Lanes safe_inverse(Lanes scale) {
  return abs(scale) > 1e-30f ? 1.0f / scale : Lanes{};
}

/// The sum of term(0) to term(kLen - 1), in eight interleaved parts. Term gives Lanes, or a struct
/// of them with a "+".
template <int kLen, typename Term>
FORGE_LANES_INLINE auto part_sum(const Term& term) {
  static_assert(kLen % 8 == 0);
  const auto part = [&](int k) __attribute__((always_inline)) {
    auto sum = term(k);
    for (int i = k + 8; i < kLen; i += 8) sum = sum + term(i);
    return sum;
  };
  const auto even = (part(0) + part(4)) + (part(2) + part(6));
  return even + ((part(1) + part(5)) + (part(3) + part(7)));
}

/// Double precision beside Lanes.
struct Doubles {
  HalfDoubles low{};
  HalfDoubles high{};
};
FORGE_LANES_INLINE Doubles to_doubles(Lanes v) {
#if defined(__AVX512F__)
  return {_mm512_cvtps_pd(_mm512_castps512_ps256(v)),
          _mm512_cvtps_pd(_mm512_extractf32x8_ps(v, 1))};
#elif defined(__AVX2__)
  return {_mm256_cvtps_pd(_mm256_castps256_ps128(v)), _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1))};
#else
  HalfLanes halves[2];
  __builtin_memcpy(halves, &v, sizeof v);
  return {__builtin_convertvector(halves[0], HalfDoubles),
          __builtin_convertvector(halves[1], HalfDoubles)};
#endif
}
FORGE_LANES_INLINE Doubles operator+(Doubles a, Doubles b) {
  return {a.low + b.low, a.high + b.high};
}
FORGE_LANES_INLINE Doubles operator*(Doubles a, Doubles b) {
  return {a.low * b.low, a.high * b.high};
}
FORGE_LANES_INLINE double lane(const Doubles& v, int l) {
  return l < kLanes / 2 ? v.low[l] : v.high[l - kLanes / 2];
}
FORGE_LANES_INLINE Ints is_less(const Doubles& a, const Doubles& b) {
  Ints mask{};
  for (int l = 0; l < kLanes; ++l) mask[l] = lane(a, l) < lane(b, l) ? -1 : 0;
  return mask;
}

}  // namespace forge::FORGE_TENSOR_LEVEL
