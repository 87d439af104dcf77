// How weights lie in memory once packed for the CPU kernels: the same bytes for every ISA level.
//
// A cell is 64 bytes: 16 output rows x 4 consecutive bytes of K, row r in bytes 4r to 4r + 3. A
// panel is 16 rows over all of K. A matrix is its panels one after another; missing rows of the
// last are zeros.
//
//   panel:  | group 0 | group 1 | ...                      a group is group_len elements of K
//   group:  | header: scales of 16 rows | sub 0 | sub 1 | ...   a sub is 32 elements of K: 8 cells
//   sub:    | low plane | high plane |                     low_bits + high_bits vectors of 64 bytes
//
// A plane of b bits holds cell j (0..7) of its sub in vector j % b, shifted left by b * (j / b):
//
//   b = 4:  vector i = cell i | cell i+4 << 4
//   b = 2:  vector i = cell i | cell i+2 << 2 | cell i+4 << 4 | cell i+6 << 6
//   b = 1:  bit j of the one vector is cell j;   b = 8: vector j is cell j
//
// so a cell is rebuilt by shift and mask on every ISA, each vector loaded once. Codes are unsigned:
// value = scale * (code - offset) [- min], or scale * codebook[code].
//
// Float types have no header: BF16 has cells of 2 k as pairs per row, F32 of one k. F16 has the 16
// rows of one k, then of the next, since its kernel converts and never multiplies pairs.
#pragma once

#include <cstdint>

#include "forge/tensor/dtype.h"

namespace forge::kernels::cpu {

/// Counts changes of what is described here and of the table below: packed files carry it.
inline constexpr int kPackedLayout = 1;

inline constexpr int kPanelRows = 16;
inline constexpr int kSubLen = 32;     // elements of K per sub, and per activation scale
inline constexpr int kCellBytes = 64;  // one vector

/// What activations a packed format multiplies.
enum class ActivationKind : uint8_t { kInt8, kBf16, kF32 };

/// 6-bit numbers in a header: n of them as a nibble plane of n/2 bytes (number i in the low half of
/// byte i, number i + n/2 in the high half) and a pair plane of n/4 bytes (number i at bits
/// 2 * (i / (n/4)) of byte i % (n/4)).
constexpr int six_bit_bytes(int n) { return n / 2 + n / 4; }

/// Constants of one packed format. Header fields follow one another in the order named in `header`.
struct PackedFormat {
  int group_len;     // elements of K per group
  int header_bytes;  // a multiple of 64
  int low_bits;      // 0 for float types
  int high_bits;
  int offset;      // subtracted from codes; a power of two or 0
  bool has_min;    // x = scale * code - min
  bool is_per_16;  // scales (and minimums) per 16 elements instead of 32
  const char* header;

  [[nodiscard]] constexpr int sub_bytes() const { return kCellBytes * (low_bits + high_bits); }
  [[nodiscard]] constexpr int group_bytes() const {
    return header_bytes + group_len / kSubLen * sub_bytes();
  }
};

/// The table. Quantised types only.
constexpr PackedFormat packed_format(DType dtype) {
  switch (dtype) {
    case DType::kQ4_0:
      return {64, 64, 4, 0, 8, false, false, "f16 d[2][16]"};
    case DType::kQ4_1:
      return {64, 128, 4, 0, 0, true, false, "f16 d[2][16], f16 m[2][16] (negated)"};
    case DType::kQ5_0:
      return {64, 64, 4, 1, 16, false, false, "f16 d[2][16]"};
    case DType::kQ5_1:
      return {64, 128, 4, 1, 0, true, false, "f16 d[2][16], f16 m[2][16] (negated)"};
    case DType::kQ8_0:
      return {64, 64, 8, 0, 128, false, false, "f16 d[2][16]"};
    case DType::kIQ4_NL:  // codes are indices; the codebook is stored with 128 added
      return {64, 64, 4, 0, 128, false, false, "f16 d[2][16]"};
    case DType::kMXFP4:  // the codebook is stored with 16 added
      return {128, 64, 4, 0, 16, false, false, "e8m0 d[4][16]"};
    case DType::kQ2_K:
      return {256, 320, 2, 0, 0, true, true, "f16 d[16], dmin[16], u8 [16][16]: scale | min << 4"};
    case DType::kQ3_K:
      return {256, 256, 2, 1, 4, false, true, "f16 d[16], 32 zeros, 6-bit scales + 32 [16][16]"};
    case DType::kQ4_K:
      return {256, 256, 4, 0, 0, true, false, "f16 d[16], dmin[16], 6-bit [8]{scale[16], min[16]}"};
    case DType::kQ5_K:
      return {256, 256, 4, 1, 0, true, false, "f16 d[16], dmin[16], 6-bit [8]{scale[16], min[16]}"};
    case DType::kQ6_K:
      return {256, 320, 4, 2, 32, false, true, "f16 d[16], 32 zeros, i8 scales [16][16]"};
    case DType::kQ8_K:
      return {256, 64, 8, 0, 128, false, false, "f32 d[16]"};
    case DType::kIQ4_XS:
      return {256, 128, 4, 0, 128, false, false, "f16 d[16], 6-bit scales + 32 [8][16]"};
    case DType::kF32:
    case DType::kF16:
    case DType::kBF16:
      break;
  }
  // Float: a group is one cell; 8 elements keep K of the activations padded alike.
  return {dtype == DType::kF32 ? 1 : 2, 0, 0, 0, 0, false, false, ""};
}

constexpr bool is_float(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16;
}

constexpr int64_t round_up(int64_t n, int64_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

/// Groups of a panel with K elements per row.
constexpr int64_t panel_groups(DType dtype, int64_t k) {
  const int64_t len = packed_format(dtype).group_len;
  return (k + len - 1) / len;
}

/// Bytes of a panel. Float panels are whole runs of four cells, since their kernels keep four sums.
constexpr int64_t panel_bytes(DType dtype, int64_t k) {
  if (is_float(dtype)) return round_up(panel_groups(dtype, k), 4) * kCellBytes;
  return panel_groups(dtype, k) * packed_format(dtype).group_bytes();
}

constexpr int64_t n_panels(int64_t rows) { return (rows + kPanelRows - 1) / kPanelRows; }

/// Bytes of a packed matrix (rows, k).
constexpr int64_t packed_bytes(DType dtype, int64_t rows, int64_t k) {
  return n_panels(rows) * panel_bytes(dtype, k);
}

/// Scratch of one thread for a matrix product with K elements per row. The most any loop expands at
/// once: two F16 panels as f32; three quantised ones (at most 24 bytes per element of K) are less.
constexpr int64_t matmul_scratch_bytes(int64_t k) { return 2 * kPanelRows * 4 * round_up(k, 256); }

}  // namespace forge::kernels::cpu
