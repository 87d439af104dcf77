// Plain C++: 4 lanes in an array, which compilers may make vectors of. See simd.h for what each
// function means. fma is the C library's: rounded once on every machine, if slowly.
#pragma once

#include <math.h>
#include <string.h>

namespace forge::kernels::cpu::FORGE_LEVEL {

inline constexpr int kLanes = 4;
inline constexpr int kRegisters = 16;
inline constexpr bool kIsScalar = true;
inline constexpr bool kDotIsSigned = false;

struct CellV {
  uint8_t b[16];
};
struct FloatV {
  float f[4];
};
struct Int32V {
  int32_t i[4];
};

#define FORGE_EACH_LANE for (int l = 0; l < 4; ++l)
#define FORGE_EACH_BYTE for (int l = 0; l < 16; ++l)

FORGE_INLINE CellV load_cell(const void* p) {
  CellV v;
  memcpy(v.b, p, sizeof v.b);
  return v;
}
FORGE_INLINE void store_cell(void* p, CellV v) { memcpy(p, v.b, sizeof v.b); }
FORGE_INLINE CellV set1_byte(int b) {
  CellV v;
  FORGE_EACH_BYTE v.b[l] = static_cast<uint8_t>(b);
  return v;
}
FORGE_INLINE CellV bit_and(CellV a, CellV b) {
  FORGE_EACH_BYTE a.b[l] = static_cast<uint8_t>(a.b[l] & b.b[l]);
  return a;
}
FORGE_INLINE CellV bit_or(CellV a, CellV b) {
  FORGE_EACH_BYTE a.b[l] = static_cast<uint8_t>(a.b[l] | b.b[l]);
  return a;
}
FORGE_INLINE CellV bit_xor(CellV a, CellV b) {
  FORGE_EACH_BYTE a.b[l] = static_cast<uint8_t>(a.b[l] ^ b.b[l]);
  return a;
}
FORGE_INLINE CellV and_or(CellV a, CellV mask, CellV b) { return bit_or(bit_and(a, mask), b); }
// Shifts are followed by a mask, so shifting bytes instead of words gives the same.
template <int n>
FORGE_INLINE CellV shift_right(CellV a) {
  FORGE_EACH_BYTE a.b[l] = static_cast<uint8_t>(a.b[l] >> n);
  return a;
}
template <int n>
FORGE_INLINE CellV shift_left(CellV a) {
  FORGE_EACH_BYTE a.b[l] = static_cast<uint8_t>(a.b[l] << n);
  return a;
}
FORGE_INLINE CellV lookup16(CellV a, const uint8_t* table) {
  FORGE_EACH_BYTE a.b[l] = table[a.b[l]];
  return a;
}

FORGE_INLINE Int32V zero_i32() { return {{0, 0, 0, 0}}; }
FORGE_INLINE Int32V set1_i32(int32_t x) { return {{x, x, x, x}}; }
FORGE_INLINE Int32V add_i32(Int32V a, Int32V b) {
  FORGE_EACH_LANE a.i[l] += b.i[l];
  return a;
}
FORGE_INLINE Int32V broadcast4(const void* p) {
  int32_t x;
  memcpy(&x, p, sizeof x);
  return set1_i32(x);
}
template <int kBits>
FORGE_INLINE Int32V dot4(Int32V acc, CellV weight, Int32V activation) {
  int8_t a[4];
  memcpy(a, &activation.i[0], sizeof a);
  FORGE_EACH_LANE {
    for (int j = 0; j < 4; ++j) acc.i[l] += weight.b[4 * l + j] * a[j];
  }
  return acc;
}

FORGE_INLINE FloatV set1(float x) { return {{x, x, x, x}}; }
FORGE_INLINE FloatV zero() { return set1(0.0f); }
FORGE_INLINE FloatV load(const float* p) {
  FloatV v;
  memcpy(v.f, p, sizeof v.f);
  return v;
}
FORGE_INLINE void store(float* p, FloatV v) { memcpy(p, v.f, sizeof v.f); }
FORGE_INLINE FloatV add(FloatV a, FloatV b) {
  FORGE_EACH_LANE a.f[l] += b.f[l];
  return a;
}
FORGE_INLINE FloatV sub(FloatV a, FloatV b) {
  FORGE_EACH_LANE a.f[l] -= b.f[l];
  return a;
}
FORGE_INLINE FloatV mul(FloatV a, FloatV b) {
  FORGE_EACH_LANE a.f[l] *= b.f[l];
  return a;
}
FORGE_INLINE FloatV div(FloatV a, FloatV b) {
  FORGE_EACH_LANE a.f[l] /= b.f[l];
  return a;
}
FORGE_INLINE FloatV max(FloatV a, FloatV b) {
  FORGE_EACH_LANE a.f[l] = a.f[l] > b.f[l] ? a.f[l] : b.f[l];
  return a;
}
FORGE_INLINE FloatV min(FloatV a, FloatV b) {
  FORGE_EACH_LANE a.f[l] = a.f[l] < b.f[l] ? a.f[l] : b.f[l];
  return a;
}
FORGE_INLINE FloatV abs(FloatV a) {
  FORGE_EACH_LANE a.f[l] = __builtin_fabsf(a.f[l]);
  return a;
}
FORGE_INLINE FloatV fma(FloatV a, FloatV b, FloatV c) {
  FORGE_EACH_LANE c.f[l] = __builtin_fmaf(a.f[l], b.f[l], c.f[l]);
  return c;
}
FORGE_INLINE FloatV round(FloatV a) {
  FORGE_EACH_LANE a.f[l] = __builtin_rintf(a.f[l]);
  return a;
}
FORGE_INLINE FloatV to_float(Int32V a) {
  FloatV v;
  FORGE_EACH_LANE v.f[l] = static_cast<float>(a.i[l]);
  return v;
}
FORGE_INLINE Int32V to_int32(FloatV a) {
  Int32V v;
  FORGE_EACH_LANE v.i[l] = static_cast<int32_t>(__builtin_rintf(a.f[l]));
  return v;
}
FORGE_INLINE FloatV as_float(Int32V a) {
  FloatV v;
  memcpy(v.f, a.i, sizeof v.f);
  return v;
}
FORGE_INLINE Int32V as_int32(FloatV a) {
  Int32V v;
  memcpy(v.i, a.f, sizeof v.i);
  return v;
}
FORGE_INLINE float f16_to_float(uint16_t h) {
  const uint32_t sign = static_cast<uint32_t>(h & 0x8000) << 16;
  const uint32_t rest = static_cast<uint32_t>(h & 0x7FFF) << 13;
  uint32_t bits = rest + (112u << 23);
  if ((h & 0x7C00) == 0x7C00) bits = rest | 0x7F800000;
  float x;
  memcpy(&x, &bits, sizeof x);
  // Subnormal: the exponent of the smallest normal, minus that number.
  if ((h & 0x7C00) == 0) {
    bits = rest + (113u << 23);
    memcpy(&x, &bits, sizeof x);
    x -= 6.103515625e-05f;
  }
  memcpy(&bits, &x, sizeof bits);
  bits |= sign;
  memcpy(&x, &bits, sizeof x);
  return x;
}
FORGE_INLINE FloatV load_f16(const void* p) {
  uint16_t h[4];
  memcpy(h, p, sizeof h);
  FloatV v;
  FORGE_EACH_LANE v.f[l] = f16_to_float(h[l]);
  return v;
}
FORGE_INLINE FloatV load_u8(const void* p) {
  const uint8_t* b = static_cast<const uint8_t*>(p);
  FloatV v;
  FORGE_EACH_LANE v.f[l] = static_cast<float>(b[l]);
  return v;
}
FORGE_INLINE FloatV load_i8(const void* p) {
  const int8_t* b = static_cast<const int8_t*>(p);
  FloatV v;
  FORGE_EACH_LANE v.f[l] = static_cast<float>(b[l]);
  return v;
}
FORGE_INLINE FloatV bf16_to_float(const uint16_t* h) {
  Int32V v;
  FORGE_EACH_LANE v.i[l] = static_cast<int32_t>(static_cast<uint32_t>(h[l]) << 16);
  return as_float(v);
}
FORGE_INLINE FloatV load_bf16(const void* p) {
  uint16_t h[4];
  memcpy(h, p, sizeof h);
  return bf16_to_float(h);
}
FORGE_INLINE void store_i8(int8_t* p, Int32V v) {
  FORGE_EACH_LANE p[l] = static_cast<int8_t>(v.i[l]);
}
FORGE_INLINE void store_bf16(uint16_t* p, FloatV v) {
  const Int32V bits = as_int32(v);
  FORGE_EACH_LANE {
    const uint32_t b = static_cast<uint32_t>(bits.i[l]);
    p[l] = static_cast<uint16_t>((b + 0x7FFF + ((b >> 16) & 1)) >> 16);
  }
}
FORGE_INLINE uint16_t float_to_f16(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  const uint32_t sign = (bits >> 16) & 0x8000;
  const uint32_t rest = bits & 0x7FFFFFFF;
  uint32_t h = (rest - (112u << 23) + 0xFFF + ((rest >> 13) & 1)) >> 13;
  if (rest < (113u << 23)) {
    // Subnormal: adding 1/2 leaves the rounded multiple of 2^-24 in the low bits.
    float shifted;
    memcpy(&shifted, &rest, sizeof shifted);
    shifted += 0.5f;
    memcpy(&h, &shifted, sizeof h);
    h -= 126u << 23;
  }
  return static_cast<uint16_t>(sign | h);
}
FORGE_INLINE void store_f16(uint16_t* p, FloatV v) { FORGE_EACH_LANE p[l] = float_to_f16(v.f[l]); }
FORGE_INLINE FloatV and_bits(FloatV a, const uint32_t* mask) {
  Int32V bits = as_int32(a);
  FORGE_EACH_LANE bits.i[l] = static_cast<int32_t>(static_cast<uint32_t>(bits.i[l]) & mask[l]);
  return as_float(bits);
}
FORGE_INLINE CellV pair_bf16(FloatV low, FloatV high) {
  const Int32V a = as_int32(low);
  const Int32V b = as_int32(high);
  CellV v;
  FORGE_EACH_LANE {
    const uint32_t pair =
        static_cast<uint32_t>(a.i[l]) >> 16 | (static_cast<uint32_t>(b.i[l]) & 0xFFFF0000u);
    memcpy(v.b + 4 * l, &pair, sizeof pair);
  }
  return v;
}

FORGE_INLINE float reduce_max(FloatV v) {
  float m = v.f[0];
  for (int l = 1; l < 4; ++l) m = v.f[l] > m ? v.f[l] : m;
  return m;
}
FORGE_INLINE bool any_nan(FloatV v) {
  bool any = false;
  FORGE_EACH_LANE any = any || v.f[l] != v.f[l];
  return any;
}
FORGE_INLINE int32_t reduce_add_i32(Int32V v) { return v.i[0] + v.i[1] + v.i[2] + v.i[3]; }
FORGE_INLINE FloatV scale_by_power(FloatV a, FloatV n) {
  Int32V bits = as_int32(a);
  FORGE_EACH_LANE bits.i[l] += static_cast<int32_t>(n.f[l]) * (1 << 23);
  return as_float(bits);
}

FORGE_INLINE FloatV dot2_bf16(FloatV acc, CellV weight, Int32V activation) {
  uint16_t w[8];
  memcpy(w, weight.b, sizeof w);
  uint16_t a[2];
  memcpy(a, &activation.i[0], sizeof a);
  const uint16_t low[4] = {w[0], w[2], w[4], w[6]};
  const uint16_t high[4] = {w[1], w[3], w[5], w[7]};
  const uint16_t a_low[4] = {a[0], a[0], a[0], a[0]};
  const uint16_t a_high[4] = {a[1], a[1], a[1], a[1]};
  acc = fma(bf16_to_float(low), bf16_to_float(a_low), acc);
  return fma(bf16_to_float(high), bf16_to_float(a_high), acc);
}

FORGE_INLINE void prefetch(const void*) {}
FORGE_INLINE void prefetch_l2(const void*) {}

#undef FORGE_EACH_LANE
#undef FORGE_EACH_BYTE

}  // namespace forge::kernels::cpu::FORGE_LEVEL
