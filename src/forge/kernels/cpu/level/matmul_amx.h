// Loop T, for many tokens where there are tiles: a panel is unpacked over all of K into L2 as
// signed cells, then 16 tokens at a time multiply it. Tiles add up the integers of 32 elements (16,
// where weights have a scale per 16), vectors scale and add them in the order of columns.h: the
// same exact integers and the same f32 chain as the other loops, hence the same bits.
//
//   cells of a panel:  | 32 k: 8 cells = half of a right-hand tile | 32 k | ...
//   scratch:           | cells: 16 x K bytes | scales | minimums |            as matmul_expanded.h
//
// Half tiles use half of the multiplier. Whole ones of 64 k would add groups with different scales.
// BF16 stays with the vector dot: a tile adds bf16 products in its own order, so that every batch
// size, one token too, would have to go through tiles to keep a token's bits.
#pragma once

#include "forge/kernels/cpu/level/matmul_expanded.h"
#ifdef FORGE_AMX_EMULATED
#include "forge/kernels/cpu/simd/amx_emulated.h"
#else
#include "forge/kernels/cpu/simd/amx.h"
#endif

namespace forge::kernels::cpu::FORGE_LEVEL {

static_assert(kLanes == 16, "a tile's row of sums is one vector");

inline constexpr int kTileTokens = 16;  // int8_width() for tiles, too

/// Codes to signed values: what is left to do is scale them.
template <DType kType>
FORGE_INLINE CellV signed_cell(CellV codes) {
  constexpr int kOffset = packed_format(kType).offset;
  if constexpr (kOffset == 0) return codes;
  return _mm512_sub_epi8(codes, set1_byte(kOffset));
}

template <DType kType>
FORGE_INLINE void make_signed(std::byte* cells, int64_t bytes) {
  if constexpr (packed_format(kType).offset != 0) {
    for (int64_t i = 0; i < bytes; i += 64) {
      store_cell(cells + i, signed_cell<kType>(load_cell(cells + i)));
    }
  }
}

/// Integer sums of one group of 32 for 16 tokens x 16 rows, on unit u's tiles: one for the group,
/// or one for each 16.
template <DType kType, int u>
FORGE_INLINE void tile_sums(const std::byte* cells, const int8_t* tokens, int64_t stride,
                            int32_t (*sums)[kTileTokens * 16]) {
  constexpr int kParts16 = packed_format(kType).is_per_16 ? 2 : 1;
  constexpr int kBytes = 32 / kParts16;
  for (int h = 0; h < kParts16; ++h) {
    zero_sums<u>();
    load_tokens<u>(tokens + h * kBytes, stride);
    load_cells<u>(cells + h * kBytes / 4 * kCellBytes);
    dot_tiles<u>();
    store_sums<u>(sums[h]);
  }
}

/// The sums of one group into those of 16 tokens.
template <DType kType>
FORGE_INLINE void add_group(const int32_t (*sums)[kTileTokens * 16], const Strip& strip, int64_t g,
                            const Int8Rows& x, int64_t first_slot, FloatV (&acc)[kTileTokens]) {
  constexpr PackedFormat kFormat = packed_format(kType);
  constexpr int kPerSub = kFormat.is_per_16 ? 2 : 1;
  Scales s;
  for (int h = 0; h < kPerSub; ++h) {
    s.s[h] = load(strip.scales + (g * kPerSub + h) * kLanes);
    if constexpr (kFormat.has_min) s.m[h] = load(strip.minimums + (g * kPerSub + h) * kLanes);
  }
#pragma GCC unroll 16
  for (int t = 0; t < kTileTokens; ++t) {
    const int64_t at = first_slot + g * kTileTokens + t;
    acc[t] = accumulate<kFormat.has_min, kFormat.is_per_16>(
        acc[t], load_cell(sums[0] + 16 * t), load_cell(sums[kPerSub - 1] + 16 * t), s, x.d + at,
        x.nsum + at, x.nsum16 + 2 * at);
  }
}

/// 16 tokens times one expanded panel over all of K.
template <DType kType>
[[gnu::noinline]] void tiled_panel(const Strip& strip, int64_t n_subs, const Int8Rows& x,
                                   int64_t first_token, float* y, int64_t y_stride,
                                   int32_t n_valid) {
  constexpr int kPerSub = packed_format(kType).is_per_16 ? 2 : 1;
  alignas(64) int32_t sums[2][kPerSub][kTileTokens * 16];
  FloatV acc[kTileTokens];
  // Unrolled like the loop in add_group(), or g++ keeps the sums in memory.
#pragma GCC unroll 16
  for (int t = 0; t < kTileTokens; ++t) acc[t] = zero();
  const int64_t first_slot = first_token * x.groups;
  constexpr int64_t kGroupBytes = 32 * kTileTokens;
  const int8_t* tokens = x.q + first_slot * 32;
  // NOTE: keep; to g++ 12 loads of tiles read no memory, so stores to scratch could come after
  // them.
  compiler_barrier();
  // One group ahead: its sums are made while those of the group before are scaled.
  tile_sums<kType, 0>(strip.cells, tokens, 32, sums[0]);
  for (int64_t g = 0; g < n_subs; g += 2) {
    if (g + 1 < n_subs) {
      tile_sums<kType, 1>(strip.cells + (g + 1) * 8 * kCellBytes, tokens + (g + 1) * kGroupBytes,
                          32, sums[1]);
    }
    add_group<kType>(sums[0], strip, g, x, first_slot, acc);
    if (g + 1 == n_subs) break;
    if (g + 2 < n_subs) {
      tile_sums<kType, 0>(strip.cells + (g + 2) * 8 * kCellBytes, tokens + (g + 2) * kGroupBytes,
                          32, sums[0]);
    }
    add_group<kType>(sums[1], strip, g + 1, x, first_slot, acc);
  }
#pragma GCC unroll 16
  for (int t = 0; t < kTileTokens; ++t) {
    if (t < n_valid) store(y + t * y_stride, acc[t]);
  }
}

/// A task of activations of width kTileTokens.
template <DType kType>
void tiled_loop(const MatmulTask& task) {
  const int64_t n_groups = panel_groups(kType, task.k);
  const StripLayout<kType> layout{n_groups * packed_format(kType).group_len / kSubLen};
  const Strip strip = layout.at(task.scratch);
  configure_tiles(packed_format(kType).is_per_16 ? 16 : 32);
  for (int32_t panel = task.panel_begin; panel < task.panel_end; ++panel) {
    expand_panel<kType>(task.weight + panel * task.panel_bytes, n_groups, layout, task.scratch);
    make_signed<kType>(task.scratch, layout.cell_bytes());
    float* y = task.y + (panel - task.panel_begin) * kPanelRows;
    for (int32_t t = 0; t < task.n_tokens; t += kTileTokens) {
      tiled_panel<kType>(strip, layout.n_subs, *task.x_int8, t, y + t * task.y_stride,
                         task.y_stride, task.n_tokens - t);
    }
  }
  release_tiles();
}

}  // namespace forge::kernels::cpu::FORGE_LEVEL
