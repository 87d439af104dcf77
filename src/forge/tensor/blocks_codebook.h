// Blocks whose 4-bit codes index a table of 16 values.
//
// As in the simple types, a byte holds two elements 16 apart: qs[16k + l] has element 32k + l in
// its low nibble and element 32k + 16 + l in its high one.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "forge/tensor/dtype.h"

namespace forge {

/// Values of the IQ4 codes: closer together near zero, where weights are dense. Source: ggml.
inline constexpr std::array<int8_t, 16> kIQ4Values{-127, -104, -83, -65, -49, -35, -22, -10,
                                                   1,    13,   25,  38,  53,  69,  89,  113};

/// Twice the values of FP4 E2M1 (sign, two exponent bits, one mantissa bit), so that they are
/// integers. Code 8, minus zero, is plain zero. Source: OCP Microscaling Formats 1.0,
/// section 5.3.3.
inline constexpr std::array<int8_t, 16> kFp4DoubledValues{0, 1,  2,  3,  4,  6,  8,  12,
                                                          0, -1, -2, -3, -4, -6, -8, -12};

/// Half of the E8M0 scale 2^(e - 127): the factor that goes with kFp4DoubledValues. e = 255, which
/// the OCP document reserves for NaN, is 2^127 as in ggml.
inline float e8m0_half(uint8_t e) {
  const uint32_t exponent = e;
  if (exponent < 2) return std::bit_cast<float>(uint32_t{0x00200000u} << exponent);  // subnormal
  return std::bit_cast<float>((exponent - 1) << 23);
}

/// x[i] = d * kIQ4Values[code(i)]
///
///   0     2                18
///   | d   | qs[16]         |        4.5 bits per element
struct BlockIQ4_NL {
  static constexpr DType kDType = DType::kIQ4_NL;
  static constexpr int kLen = 32;

  uint16_t d;  // f16
  uint8_t qs[16];

  [[nodiscard]] int code(int i) const { return (qs[i % 16] >> (4 * (i / 16))) & 0xF; }
};
static_assert(sizeof(BlockIQ4_NL) == 18);

/// x[i] = d * scale(j) * kIQ4Values[code(i)],   j = i / 32
///
///   0     2          4             8                136
///   | d   | scales_h | scales_l[4] | qs[128]        |  4.25 bits per element
///
///   Eight scales of 6 bits, stored with 32 added: the low four bits of scale j in nibble j of
///   scales_l (low nibble first), the high two in bits 2j+1 2j of scales_h.
struct BlockIQ4_XS {
  static constexpr DType kDType = DType::kIQ4_XS;
  static constexpr int kLen = 256;

  uint16_t d;  // f16
  uint16_t scales_h;
  uint8_t scales_l[4];
  uint8_t qs[128];

  [[nodiscard]] int scale(int j) const {
    const int low = (scales_l[j / 2] >> (4 * (j % 2))) & 0xF;
    return (low | (((scales_h >> (2 * j)) & 3) << 4)) - 32;
  }
  [[nodiscard]] int code(int i) const {
    return (qs[16 * (i / 32) + i % 16] >> (4 * (i / 16 % 2))) & 0xF;
  }
};
static_assert(sizeof(BlockIQ4_XS) == 136);

/// x[i] = e8m0_half(e) * kFp4DoubledValues[code(i)]
///
///   0   1                17
///   | e | qs[16]         |          4.25 bits per element
struct BlockMXFP4 {
  static constexpr DType kDType = DType::kMXFP4;
  static constexpr int kLen = 32;

  uint8_t e;  // E8M0: the scale is 2^(e - 127)
  uint8_t qs[16];

  [[nodiscard]] int code(int i) const { return (qs[i % 16] >> (4 * (i / 16))) & 0xF; }
};
static_assert(sizeof(BlockMXFP4) == 17);

}  // namespace forge
