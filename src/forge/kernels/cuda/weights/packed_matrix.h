// A weight matrix on the device, in the order in which a warp reads it.
//
// The unit is a step: 16 rows (a row tile) of 64 columns (two groups of 32). In a group, lane (g,
// t) = (lane / 4, lane % 4) owns columns 8t .. 8t + 7 of rows g and g + 8 of the tile; see
// device/mma.h for why. Of 4-byte numbers a step has 32 columns (two groups of 16), of which a lane
// owns 4t .. 4t + 3: in bytes a row's part of a step and a lane's part of a group are the same.
//
// kPlain: rows as they are, row_bytes apart. Others, with 16-bit products only: one run of bytes
// per step and lane, steps of a row tile one after another, row tiles one after another:
//
//   low     4 bits: 16 bytes a lane, words (row g, group 0), (row g + 8, group 0), (g, 1), (g + 8,
//   1); value e of
//           a word's 8 is nibble e / 2 + 4 (e % 2)
//           8 bits: 32 bytes a lane, two words for each of these; value e of a word's 4 is byte e /
//           2 + 2 (e % 2), with 128 added
//   high    1 bit more: a word a lane; pair (2p, 2p + 1) of word q of `low` is bits 4q + p and 4q +
//   p + 16
//           2 bits more: two words a lane, one a group; pair p of its word q' (0, 1) is bits 2 (4q'
//           + p) and + 16
//   scales  per step and g: rows g, g + 8, each: C[2] for groups 0, 1; or (scale, min)[2]; or C[4],
//   one for each
//           group of 16
#pragma once

#include <cstddef>
#include <cstdint>

#include "forge/kernels/cuda/product_type.h"

namespace forge::kernels::cuda {

inline constexpr int kRowTile = 16;
/// Columns are padded to this.
inline constexpr int kStepColumns = 64;
/// Of a row of kPlain in a step, and in a group.
inline constexpr int kStepBytes = 128;
inline constexpr int kGroupBytes = kStepBytes / 2;
constexpr int step_columns(ProductType product_type) {
  return kStepBytes / element_bytes(product_type);
}

enum class WeightKind : uint8_t {
  kPlain,    // what products are computed in
  kInt8,     // value * scale:               Q8_0, Q8_K, int8
  kInt4,     // (value - 8) * scale:         Q4_0, int4
  kInt4Min,  // value * scale + min:         Q4_1, Q4_K
  kInt5,     // (value - 16) * scale:        Q5_0
  kInt5Min,  // value * scale + min:         Q5_1, Q5_K
  kInt6,     // (value - 32) * scale, of 16: Q6_K
};

/// What lies beside a row's numbers for a group of 32 columns.
enum class ScaleKind : uint8_t {
  kNone,
  kGroup32,     // a scale
  kGroup32Min,  // a scale and a min
  kGroup16,     // two scales, of 16 columns each
};

/// What a kind consists of.
struct Planes {
  int32_t low_bits = 0;
  int32_t high_bits = 0;
  int32_t offset = 0;  // what is taken off a number before it is scaled
  ScaleKind scales = ScaleKind::kNone;
};
constexpr Planes planes_of(WeightKind kind, ProductType product_type = ProductType::kBf16) {
  switch (kind) {
    case WeightKind::kPlain:
      break;
    case WeightKind::kInt8:
      return {8, 0, 128, ScaleKind::kGroup32};
    case WeightKind::kInt4:
      return {4, 0, 8, ScaleKind::kGroup32};
    case WeightKind::kInt4Min:
      return {4, 0, 0, ScaleKind::kGroup32Min};
    case WeightKind::kInt5:
      return {4, 1, 16, ScaleKind::kGroup32};
    case WeightKind::kInt5Min:
      return {4, 1, 0, ScaleKind::kGroup32Min};
    case WeightKind::kInt6:
      return {4, 2, 32, ScaleKind::kGroup16};
  }
  return {8 * element_bytes(product_type), 0, 0, ScaleKind::kNone};
}

/// Plain pointers into one allocation; rows and columns are padded with zeros to whole tiles and
/// steps.
struct PackedMatrix {
  WeightKind kind = WeightKind::kPlain;
  ProductType product_type =
      ProductType::kBf16;  // of rows, scales and mins, and what products are computed in
  int32_t rows = 0;        // a multiple of kRowTile
  int32_t columns = 0;     // a multiple of kStepColumns
  const std::byte* low = nullptr;
  const std::byte* high = nullptr;
  const std::byte* scales = nullptr;
  int64_t row_bytes = 0;  // kPlain

  [[nodiscard]] constexpr int32_t n_steps() const { return columns / step_columns(product_type); }
  [[nodiscard]] constexpr int32_t n_row_tiles() const { return rows / kRowTile; }
};

/// A row's sum over K is cut into at most kMaxSegments runs of this many steps, each summed from
/// zero, then added in ascending order. It depends on the matrix alone, so that a result has the
/// same bits in every kernel and beside any number of tokens.
inline constexpr int kMaxSegments = 8;
constexpr int32_t segment_steps(int32_t n_steps) {
  return (n_steps + kMaxSegments - 1) / kMaxSegments;
}

}  // namespace forge::kernels::cuda
