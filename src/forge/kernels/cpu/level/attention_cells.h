// Keys and values as operands of a matrix product, and the register tile that multiplies them.
//
// Strips are kLanes rows of a panel of 16: tokens where keys are multiplied, dimensions where
// values are. Columns are queries. An output is one chain of products in ascending order from its
// start, whatever the tile: that is all its bits depend on.
#pragma once

#include "forge/kernels/cpu/kv_layout.h"
#include "forge/kernels/cpu/simd/simd.h"

namespace forge::kernels::cpu::FORGE_LEVEL {

/// bf16: 16 rows x 2.
struct PairCells {
  using Operand = uint16_t;
  using Sum = FloatV;
  using Weight = CellV;
  static constexpr int kPerCell = 2;  // steps of the inner dimension
  static constexpr int kBytes = 64;
  static constexpr int kStripBytes = kPartBytes;
  FORGE_INLINE static Weight load_weight(const std::byte* p) { return load_cell(p); }
  FORGE_INLINE static Int32V load_operand(const Operand* p) { return broadcast4(p); }
  FORGE_INLINE static Sum step(Sum sum, Weight w, Int32V x) { return dot2_bf16(sum, w, x); }
};

/// f32: 16 rows x 1.
struct FloatCells {
  using Operand = float;
  using Sum = FloatV;
  using Weight = FloatV;
  static constexpr int kPerCell = 1;
  static constexpr int kBytes = 64;
  static constexpr int kStripBytes = 4 * kLanes;
  FORGE_INLINE static Weight load_weight(const std::byte* p) {
    return load(reinterpret_cast<const float*>(p));
  }
  FORGE_INLINE static FloatV load_operand(const Operand* p) { return set1(*p); }
  FORGE_INLINE static Sum step(Sum sum, Weight w, FloatV x) { return fma(w, x, sum); }
};

/// f16, multiplied as f32: 16 rows x 1.
struct HalfCells : FloatCells {
  static constexpr int kBytes = 32;
  static constexpr int kStripBytes = 2 * kLanes;
  FORGE_INLINE static Weight load_weight(const std::byte* p) { return load_f16(p); }
};

/// int8 + 128 times int8: 16 rows x 4, exact.
struct ByteCells {
  using Operand = int8_t;
  using Sum = Int32V;
  using Weight = CellV;
  static constexpr int kPerCell = 4;
  static constexpr int kBytes = 64;
  static constexpr int kStripBytes = kPartBytes;
  FORGE_INLINE static Weight load_weight(const std::byte* p) { return load_cell(p); }
  FORGE_INLINE static Int32V load_operand(const Operand* p) { return broadcast4(p); }
  FORGE_INLINE static Sum step(Sum sum, Weight w, Int32V x) { return dot4<8>(sum, w, x); }
};

/// Tile sizes. 32 registers: 4 strips x 6 columns of sums, 4 weights, operands; 2 x 8 for groups of
/// 7 and 8 heads in decode, whose cache should be read once. 16 registers: 2 x 4 sums, 2 weights
/// and their halves where bf16 pairs are split.
inline constexpr int kTileColumns = kLanes == 16 ? 6 : 4;
inline constexpr int kMostColumns = kLanes == 16 ? 8 : 4;
template <int kColumns>
inline constexpr int kTileStrips = kRegisters == 32 && kColumns <= kTileColumns ? 4 : 2;

/// Elements between the operands of two columns: keys' and values'.
inline constexpr int kQueryStride = kMaxHeadDim;
inline constexpr int kWeightStride = kKvTileLen;

/// sum[s][c] += n_cells cells of strip s times operand of column c. kAhead strips' worth of bytes
/// per cell are prefetched from `ahead` on, in order.
template <class Cells, int kStrips, int kColumns, int kStride, int kAhead>
FORGE_INLINE void multiply_cells(typename Cells::Sum (&sum)[kStrips][kColumns],
                                 const std::byte* const (&strips)[kStrips],
                                 const typename Cells::Operand* x, int64_t n_cells,
                                 const std::byte* ahead) {
  for (int64_t i = 0; i < n_cells; ++i) {
    typename Cells::Weight w[kStrips];
#pragma GCC unroll 4
    for (int s = 0; s < kStrips; ++s) w[s] = Cells::load_weight(strips[s] + i * Cells::kBytes);
#pragma GCC unroll 4
    for (int s = 0; s < kAhead; ++s) {
      prefetch_l2(ahead);
      ahead += Cells::kStripBytes;
    }
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c) {
      const auto operand = Cells::load_operand(x + c * kStride + i * Cells::kPerCell);
#pragma GCC unroll 4
      for (int s = 0; s < kStrips; ++s) sum[s][c] = Cells::step(sum[s][c], w[s], operand);
    }
  }
}

}  // namespace forge::kernels::cpu::FORGE_LEVEL
