// Blocks of 32 elements with one scale (and, in the _1 types, one offset) as f16.
//
// In the 4- and 5-bit types byte j of qs holds the low four bits of two elements, 16 apart:
//
//   qs[j]   bit 7 6 5 4 | 3 2 1 0          qh   bit 31 .. 16 | 15 .. 0
//           element j+16| element j             fifth bit of element 31 .. 16 | 15 .. 0
#pragma once

#include <cstdint>

#include "forge/tensor/dtype.h"

namespace forge {

/// x[i] = d * (code(i) - 8)
///
///   0     2                18
///   | d   | qs[16]         |        4.5 bits per element
struct BlockQ4_0 {
  static constexpr DType kDType = DType::kQ4_0;
  static constexpr int kLen = 32;

  uint16_t d;  // f16
  uint8_t qs[16];

  [[nodiscard]] constexpr int code(int i) const { return (qs[i % 16] >> (4 * (i / 16))) & 0xF; }
};
static_assert(sizeof(BlockQ4_0) == 18);

/// x[i] = d * code(i) + m
///
///   0     2     4                20
///   | d   | m   | qs[16]         |  5 bits per element
struct BlockQ4_1 {
  static constexpr DType kDType = DType::kQ4_1;
  static constexpr int kLen = 32;

  uint16_t d;  // f16
  uint16_t m;  // f16
  uint8_t qs[16];

  [[nodiscard]] constexpr int code(int i) const { return (qs[i % 16] >> (4 * (i / 16))) & 0xF; }
};
static_assert(sizeof(BlockQ4_1) == 20);

/// x[i] = d * (code(i) - 16)
///
///   0     2         6                22
///   | d   | qh[4]   | qs[16]         |  5.5 bits per element
struct BlockQ5_0 {
  static constexpr DType kDType = DType::kQ5_0;
  static constexpr int kLen = 32;

  uint16_t d;     // f16
  uint8_t qh[4];  // fifth bits, a 32-bit little-endian number
  uint8_t qs[16];

  [[nodiscard]] constexpr int code(int i) const {
    const int high = (qh[i / 8] >> (i % 8)) & 1;
    return ((qs[i % 16] >> (4 * (i / 16))) & 0xF) | (high << 4);
  }
};
static_assert(sizeof(BlockQ5_0) == 22);

/// x[i] = d * code(i) + m
///
///   0     2     4         8                24
///   | d   | m   | qh[4]   | qs[16]         |  6 bits per element
struct BlockQ5_1 {
  static constexpr DType kDType = DType::kQ5_1;
  static constexpr int kLen = 32;

  uint16_t d;     // f16
  uint16_t m;     // f16
  uint8_t qh[4];  // fifth bits, a 32-bit little-endian number
  uint8_t qs[16];

  [[nodiscard]] constexpr int code(int i) const {
    const int high = (qh[i / 8] >> (i % 8)) & 1;
    return ((qs[i % 16] >> (4 * (i / 16))) & 0xF) | (high << 4);
  }
};
static_assert(sizeof(BlockQ5_1) == 24);

/// x[i] = d * code(i)
///
///   0     2                34
///   | d   | qs[32]         |        8.5 bits per element
struct BlockQ8_0 {
  static constexpr DType kDType = DType::kQ8_0;
  static constexpr int kLen = 32;

  uint16_t d;  // f16
  int8_t qs[32];

  [[nodiscard]] constexpr int code(int i) const { return qs[i]; }
};
static_assert(sizeof(BlockQ8_0) == 34);

}  // namespace forge
