// The packed block formats as the kernels read them: one short trait per header layout. See
// packed_format.h for the bytes.
//
// A trait turns the header of a group into float scales of the kLanes rows of a part:
//   Header        what is prepared once per group (16 rows)
//   scales(...)   scales (and minimums) of sub `sub` for part `part`, as floats
// All products of a header's integers and f16 numbers are exact in f32, so every level has the same
// scales.
#pragma once

#include "forge/kernels/cpu/level/codebook.h"
#include "forge/kernels/cpu/packed_format.h"
#include "forge/kernels/cpu/simd/simd.h"

namespace forge::kernels::cpu::FORGE_LEVEL {

/// Scales of 32 elements of kLanes rows: s[1] and m[1] only where they are per 16.
struct Scales {
  FloatV s[2];
  FloatV m[2];
};

/// Expands n 6-bit numbers (packed_format.h). Loops over whole vectors, which compilers vectorise.
template <int n>
FORGE_INLINE void expand_six_bits(const uint8_t* packed, uint8_t* out) {
  const uint8_t* high = packed + n / 2;
  for (int q = 0; q < 4; ++q) {
    const uint8_t* low = packed + (q % 2) * (n / 4);
    for (int i = 0; i < n / 4; ++i) {
      const int four = q < 2 ? low[i] & 15 : low[i] >> 4;
      out[q * (n / 4) + i] = static_cast<uint8_t>(four | ((high[i] >> (2 * q)) & 3) << 4);
    }
  }
}

FORGE_INLINE const uint8_t* bytes_at(const std::byte* p, int64_t offset) {
  return reinterpret_cast<const uint8_t*>(p) + offset;
}

/// f16 scale per 32, and minimum where there is one: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, IQ4_NL.
template <bool kHasMin>
struct PlainHeader {
  const std::byte* group;
  FORGE_INLINE explicit PlainHeader(const std::byte* g) : group(g) {}
  FORGE_INLINE Scales scales(int sub, int part) const {
    const int64_t at = sub * 32 + part * kLanes * 2;
    Scales r;
    r.s[0] = load_f16(group + at);
    if constexpr (kHasMin) r.m[0] = load_f16(group + 64 + at);
    return r;
  }
};

/// E8M0 exponent per 32, halved since the codebook is doubled: MXFP4.
struct ExponentHeader {
  alignas(64) float s[64];
  FORGE_INLINE explicit ExponentHeader(const std::byte* g) {
    const uint8_t* e = bytes_at(g, 0);
    for (int i = 0; i < 64; ++i) {
      const uint32_t x = e[i];
      const uint32_t bits = x < 2 ? 0x00200000u << x : (x - 1) << 23;
      __builtin_memcpy(&s[i], &bits, sizeof bits);
    }
  }
  FORGE_INLINE Scales scales(int sub, int part) const {
    Scales r;
    r.s[0] = load(s + sub * 16 + part * kLanes);
    return r;
  }
};

/// f16 d and dmin, 6-bit scales and minimums per 32: Q4_K, Q5_K.
struct SixBitMinHeader {
  FloatV d[kParts];
  FloatV dmin[kParts];
  alignas(64) uint8_t numbers[256];
  FORGE_INLINE explicit SixBitMinHeader(const std::byte* g) {
    for (int p = 0; p < kParts; ++p) {
      d[p] = load_f16(g + p * kLanes * 2);
      dmin[p] = load_f16(g + 32 + p * kLanes * 2);
    }
    expand_six_bits<256>(bytes_at(g, 64), numbers);
  }
  FORGE_INLINE Scales scales(int sub, int part) const {
    Scales r;
    r.s[0] = mul(load_u8(numbers + sub * 32 + part * kLanes), d[part]);
    r.m[0] = mul(load_u8(numbers + sub * 32 + 16 + part * kLanes), dmin[part]);
    return r;
  }
};

/// f16 d, signed 8-bit scales per 16: Q6_K.
struct SignedHeader {
  FloatV d[kParts];
  const std::byte* group;
  FORGE_INLINE explicit SignedHeader(const std::byte* g) : group(g) {
    for (int p = 0; p < kParts; ++p) d[p] = load_f16(g + p * kLanes * 2);
  }
  FORGE_INLINE Scales scales(int sub, int part) const {
    Scales r;
    const std::byte* at = group + 64 + sub * 32 + part * kLanes;
    r.s[0] = mul(load_i8(at), d[part]);
    r.s[1] = mul(load_i8(at + 16), d[part]);
    return r;
  }
};

/// f16 d and dmin, 4-bit scales and minimums per 16: Q2_K.
struct FourBitMinHeader {
  FloatV d[kParts];
  FloatV dmin[kParts];
  alignas(64) uint8_t scale[256];
  alignas(64) uint8_t minimum[256];
  FORGE_INLINE explicit FourBitMinHeader(const std::byte* g) {
    for (int p = 0; p < kParts; ++p) {
      d[p] = load_f16(g + p * kLanes * 2);
      dmin[p] = load_f16(g + 32 + p * kLanes * 2);
    }
    const uint8_t* both = bytes_at(g, 64);
    for (int i = 0; i < 256; ++i) {
      scale[i] = both[i] & 15;
      minimum[i] = static_cast<uint8_t>(both[i] >> 4);
    }
  }
  FORGE_INLINE Scales scales(int sub, int part) const {
    Scales r;
    const int at = sub * 32 + part * kLanes;
    r.s[0] = mul(load_u8(scale + at), d[part]);
    r.s[1] = mul(load_u8(scale + at + 16), d[part]);
    r.m[0] = mul(load_u8(minimum + at), dmin[part]);
    r.m[1] = mul(load_u8(minimum + at + 16), dmin[part]);
    return r;
  }
};

/// f16 d, 6-bit scales with 32 added, n of them: per 16 (Q3_K) or per 32 (IQ4_XS).
template <int n, int kOffset>
struct SixBitHeader {
  static constexpr int kPerSub = n / 8;  // numbers of a sub: 32 or 16
  FloatV d[kParts];
  alignas(64) uint8_t numbers[n];
  FORGE_INLINE explicit SixBitHeader(const std::byte* g) {
    for (int p = 0; p < kParts; ++p) d[p] = load_f16(g + p * kLanes * 2);
    expand_six_bits<n>(bytes_at(g, kOffset), numbers);
    for (int i = 0; i < n; ++i) numbers[i] = static_cast<uint8_t>(numbers[i] - 32);
  }
  FORGE_INLINE Scales scales(int sub, int part) const {
    Scales r;
    const uint8_t* at = numbers + sub * kPerSub + part * kLanes;
    r.s[0] = mul(load_i8(at), d[part]);
    if constexpr (kPerSub == 32) r.s[1] = mul(load_i8(at + 16), d[part]);
    return r;
  }
};

/// f32 scale per 256: Q8_K.
struct FloatHeader {
  FloatV d[kParts];
  FORGE_INLINE explicit FloatHeader(const std::byte* g) {
    for (int p = 0; p < kParts; ++p) d[p] = load(reinterpret_cast<const float*>(g) + p * kLanes);
  }
  FORGE_INLINE Scales scales(int, int part) const {
    Scales r;
    r.s[0] = d[part];
    return r;
  }
};

template <DType>
struct HeaderOf;
// clang-format off
template <> struct HeaderOf<DType::kQ4_0> { using Type = PlainHeader<false>; };
template <> struct HeaderOf<DType::kQ4_1> { using Type = PlainHeader<true>; };
template <> struct HeaderOf<DType::kQ5_0> { using Type = PlainHeader<false>; };
template <> struct HeaderOf<DType::kQ5_1> { using Type = PlainHeader<true>; };
template <> struct HeaderOf<DType::kQ8_0> { using Type = PlainHeader<false>; };
template <> struct HeaderOf<DType::kIQ4_NL> { using Type = PlainHeader<false>; };
template <> struct HeaderOf<DType::kMXFP4> { using Type = ExponentHeader; };
template <> struct HeaderOf<DType::kQ2_K> { using Type = FourBitMinHeader; };
template <> struct HeaderOf<DType::kQ3_K> { using Type = SixBitHeader<256, 64>; };
template <> struct HeaderOf<DType::kQ4_K> { using Type = SixBitMinHeader; };
template <> struct HeaderOf<DType::kQ5_K> { using Type = SixBitMinHeader; };
template <> struct HeaderOf<DType::kQ6_K> { using Type = SignedHeader; };
template <> struct HeaderOf<DType::kQ8_K> { using Type = FloatHeader; };
template <> struct HeaderOf<DType::kIQ4_XS> { using Type = SixBitHeader<128, 32>; };
// clang-format on

/// Cell kCell of a plane of kBits bits at p (64-byte vectors), part p already added to the pointer.
/// Unmasked above kBits unless the shift leaves nothing there.
template <int kBits, int kCell>
FORGE_INLINE CellV plane_vector(const std::byte* p) {
  return load_cell(p + (kCell % kBits) * kCellBytes);
}

/// Cell kCell (0..7) of the sub whose planes start at p (part offset included): unsigned codes, or
/// codebook values plus the format's offset.
template <DType kType, int kCell>
FORGE_INLINE CellV unpack_cell(const std::byte* p) {
  constexpr PackedFormat kFormat = packed_format(kType);
  constexpr int kLow = kFormat.low_bits;
  constexpr int kHigh = kFormat.high_bits;
  constexpr int kLowShift = kLow * (kCell / kLow);
  CellV code = shift_right<kLowShift>(plane_vector<kLow, kCell>(p));
  if constexpr (kLow < 8) code = bit_and(code, set1_byte((1 << kLow) - 1));
  if constexpr (kHigh > 0) {
    // Bits kHighShift.. of the high plane belong above the low ones.
    constexpr int kHighShift = kHigh * (kCell / kHigh);
    const CellV high = plane_vector<kHigh, kCell>(p + kLow * kCellBytes);
    const CellV mask = set1_byte(((1 << kHigh) - 1) << kLow);
    if constexpr (kHighShift >= kLow) {
      code = and_or(shift_right<kHighShift - kLow>(high), mask, code);
    } else {
      code = and_or(shift_left<kLow - kHighShift>(high), mask, code);
    }
  }
  if constexpr (kType == DType::kIQ4_NL || kType == DType::kIQ4_XS) {
    code = lookup16(code, kIq4Codebook);
  } else if constexpr (kType == DType::kMXFP4) {
    code = lookup16(code, kFp4Codebook);
  }
  return code;
}

/// Significant bits of unpacked bytes: what dot4 must hold.
template <DType kType>
inline constexpr int kCodeBits = kType == DType::kIQ4_NL || kType == DType::kIQ4_XS
                                     ? 8
                                     : packed_format(kType).low_bits +
                                           packed_format(kType).high_bits +
                                           (kType == DType::kMXFP4);

/// Where the integer sums start, as a multiple of minus the activations' sum.
template <DType kType>
inline constexpr int kStartOffset = kCodeBits<kType> == 8 && kDotIsSigned
                                        ? 0
                                        : packed_format(kType).offset;

}  // namespace forge::kernels::cpu::FORGE_LEVEL
