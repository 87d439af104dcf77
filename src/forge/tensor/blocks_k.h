// K-quants: super-blocks of 256 elements in sub-blocks of 16 or 32. A sub-block's scale (and min)
// is a small integer; the super-block holds the f16 that those integers are multiples of.
//
// Codes are interleaved so that a vector load finds them 32 (or 64) elements apart in one byte.
// With h = i / 128, l = i % 32:
//
//   two bits (Q2_K, Q3_K qs; Q6_K qh):  byte 32h + l, bits 2k+1 2k  <- element 128h + 32k + l, k =
//   0..3 four bits (Q4_K, Q5_K qs):          byte 32g + l, low nibble    <- element 64g + l
//                                                     high nibble   <- element 64g + 32 + l, g =
//                                                     0..3
#pragma once

#include <cstdint>

#include "forge/tensor/dtype.h"

namespace forge {

/// x[i] = d * scale(j) * code(i) - dmin * min(j),   j = i / 16
///
///   0            16             80    82     84
///   | scales[16] | qs[64]       | d   | dmin |     2.625 bits per element
///
///   scales[j]   bit 7 6 5 4 | 3 2 1 0
///               min         | scale
struct BlockQ2_K {
  static constexpr DType kDType = DType::kQ2_K;
  static constexpr int kLen = 256;

  uint8_t scales[16];
  uint8_t qs[64];
  uint16_t d;     // f16
  uint16_t dmin;  // f16

  [[nodiscard]] constexpr int scale(int j) const { return scales[j] & 0xF; }
  [[nodiscard]] constexpr int min(int j) const { return scales[j] >> 4; }
  [[nodiscard]] constexpr int code(int i) const {
    return (qs[32 * (i / 128) + i % 32] >> (2 * (i / 32 % 4))) & 3;
  }
};
static_assert(sizeof(BlockQ2_K) == 84);

/// x[i] = d * scale(j) * (code(i) - 4),   j = i / 16
///
///   0            32             96           108   110
///   | hmask[32]  | qs[64]       | scales[12] | d   |   3.4375 bits per element
///
///   hmask[l]: bit k is the third (high) bit of element 32k + l.
///   scales: 16 numbers of 6 bits, stored with 32 added.
///     byte b = 0..7:    bit 7 6 5 4          | 3 2 1 0            the low four bits
///                       scale b+8            | scale b
///     byte 8 + c:       bit 7 6   | 5 4  | 3 2  | 1 0             the high two bits
///                       scale c+12| c+8  | c+4  | c
struct BlockQ3_K {
  static constexpr DType kDType = DType::kQ3_K;
  static constexpr int kLen = 256;

  uint8_t hmask[32];
  uint8_t qs[64];
  uint8_t scales[12];
  uint16_t d;  // f16

  [[nodiscard]] constexpr int scale(int j) const {
    const int low = (scales[j % 8] >> (4 * (j / 8))) & 0xF;
    const int high = (scales[8 + j % 4] >> (2 * (j / 4))) & 3;
    return (low | (high << 4)) - 32;
  }
  [[nodiscard]] constexpr int code(int i) const {
    const int low = (qs[32 * (i / 128) + i % 32] >> (2 * (i / 32 % 4))) & 3;
    return low | (((hmask[i % 32] >> (i / 32)) & 1) << 2);
  }
};
static_assert(sizeof(BlockQ3_K) == 110);

/// Eight scales and eight mins of 6 bits each, as Q4_K and Q5_K pack them:
///
///   byte 0..3    bit 7 6                  | 5 4 3 2 1 0
///                high bits of scale b+4   | scale b
///   byte 4..7    high bits of min b       | min b-4
///   byte 8..11   bit 7 6 5 4              | 3 2 1 0
///                low bits of min b-4      | low bits of scale b-4
struct SixBitPairs {
  uint8_t bytes[12];

  [[nodiscard]] constexpr int scale(int j) const {
    if (j < 4) return bytes[j] & 63;
    return (bytes[j + 4] & 0xF) | ((bytes[j - 4] >> 6) << 4);
  }
  [[nodiscard]] constexpr int min(int j) const {
    if (j < 4) return bytes[j + 4] & 63;
    return (bytes[j + 4] >> 4) | ((bytes[j] >> 6) << 4);
  }
};

/// x[i] = d * scale(j) * code(i) - dmin * min(j),   j = i / 32
///
///   0     2      4            16               144
///   | d   | dmin | pairs[12]  | qs[128]        |       4.5 bits per element
struct BlockQ4_K {
  static constexpr DType kDType = DType::kQ4_K;
  static constexpr int kLen = 256;

  uint16_t d;     // f16
  uint16_t dmin;  // f16
  SixBitPairs pairs;
  uint8_t qs[128];

  [[nodiscard]] constexpr int scale(int j) const { return pairs.scale(j); }
  [[nodiscard]] constexpr int min(int j) const { return pairs.min(j); }
  [[nodiscard]] constexpr int code(int i) const {
    return (qs[32 * (i / 64) + i % 32] >> (4 * (i / 32 % 2))) & 0xF;
  }
};
static_assert(sizeof(BlockQ4_K) == 144);

/// x[i] = d * scale(j) * code(i) - dmin * min(j),   j = i / 32
///
///   0     2      4            16           48               176
///   | d   | dmin | pairs[12]  | qh[32]     | qs[128]        |   5.5 bits per element
///
///   qh[l]: bit k is the fifth bit of element 32k + l.
struct BlockQ5_K {
  static constexpr DType kDType = DType::kQ5_K;
  static constexpr int kLen = 256;

  uint16_t d;     // f16
  uint16_t dmin;  // f16
  SixBitPairs pairs;
  uint8_t qh[32];
  uint8_t qs[128];

  [[nodiscard]] constexpr int scale(int j) const { return pairs.scale(j); }
  [[nodiscard]] constexpr int min(int j) const { return pairs.min(j); }
  [[nodiscard]] constexpr int code(int i) const {
    const int low = (qs[32 * (i / 64) + i % 32] >> (4 * (i / 32 % 2))) & 0xF;
    return low | (((qh[i % 32] >> (i / 32)) & 1) << 4);
  }
};
static_assert(sizeof(BlockQ5_K) == 176);

/// x[i] = d * scales[j] * (code(i) - 32),   j = i / 16
///
///   0            128          192          208   210
///   | ql[128]    | qh[64]     | scales[16] | d   |     6.5625 bits per element
///
///   ql[64h + m]: low nibble of element 128h + m (low) and 128h + 64 + m (high), m = 0..63.
///   qh: the two high bits, in the two-bit order above.
struct BlockQ6_K {
  static constexpr DType kDType = DType::kQ6_K;
  static constexpr int kLen = 256;

  uint8_t ql[128];
  uint8_t qh[64];
  int8_t scales[16];
  uint16_t d;  // f16

  [[nodiscard]] constexpr int scale(int j) const { return scales[j]; }
  [[nodiscard]] constexpr int code(int i) const {
    const int low = (ql[64 * (i / 128) + i % 64] >> (4 * (i / 64 % 2))) & 0xF;
    return low | (((qh[32 * (i / 128) + i % 32] >> (2 * (i / 32 % 4))) & 3) << 4);
  }
};
static_assert(sizeof(BlockQ6_K) == 210);

/// x[i] = d * code(i). Not a format of files but of activations, multiplied with the types above.
///
///   0         4                260              292
///   | d (f32) | qs[256]        | bsums[16] i16  |      9.125 bits per element
///
///   bsums[j] = sum of codes 16j .. 16j+15, which a product with mins needs.
struct BlockQ8_K {
  static constexpr DType kDType = DType::kQ8_K;
  static constexpr int kLen = 256;

  float d;
  int8_t qs[256];
  int16_t bsums[16];

  [[nodiscard]] constexpr int code(int i) const { return qs[i]; }
};
static_assert(sizeof(BlockQ8_K) == 292);

}  // namespace forge
