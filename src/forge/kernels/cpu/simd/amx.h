// The tiles of Intel AMX that int8 products use, behind a small interface with two implementations:
// the intrinsics here, and plain C++ in amx_emulated.h, which the tests compile where no machine
// has AMX.
//
//   configure_tiles(k_bytes)     before the others, per thread
//   zero_sums<u>(), load_tokens<u>(p, stride), load_cells<u>(p), dot_tiles<u>(), store_sums<u>(p)
//   release_tiles()
//
// A unit u (0 or 1) is three tiles: sums (16 tokens x 16 rows of int32), tokens (16 x k_bytes of
// int8), cells (k_bytes / 4 packed cells: 16 rows x 4 k of int8). Two, so that one multiplies while
// the other's sums are on their way to memory. Source: Intel SDM vol. 1, chapter 18; vol. 2,
// TDPBSSD.
#pragma once

#include <immintrin.h>

namespace forge::kernels::cpu::FORGE_LEVEL {

/// Palette 1: for each tile its bytes per row and its rows. Sums are tiles 0 and 1, tokens 2 and 3,
/// cells 4 and 5.
struct alignas(64) TileConfig {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};
static_assert(sizeof(TileConfig) == 64);

FORGE_INLINE void configure_tiles(int k_bytes) {
  TileConfig config;
  for (int u = 0; u < 2; ++u) {
    config.row_bytes[u] = 64;
    config.rows[u] = 16;
    config.row_bytes[2 + u] = static_cast<uint16_t>(k_bytes);
    config.rows[2 + u] = 16;
    config.row_bytes[4 + u] = 64;
    config.rows[4 + u] = static_cast<uint8_t>(k_bytes / 4);
  }
  // NOTE: keep; g++ 12's intrinsic names only the first 8 bytes as read.
  asm volatile("" : : "r"(&config) : "memory");
  _tile_loadconfig(&config);
}
FORGE_INLINE void release_tiles() { _tile_release(); }

// The intrinsics want the tiles' numbers as literals.
template <int u>
FORGE_INLINE void zero_sums() {
  if constexpr (u == 0) _tile_zero(0);
  if constexpr (u == 1) _tile_zero(1);
}
/// 16 tokens, `stride` bytes apart.
template <int u>
FORGE_INLINE void load_tokens(const int8_t* p, int64_t stride) {
  if constexpr (u == 0) _tile_loadd(2, p, stride);
  if constexpr (u == 1) _tile_loadd(3, p, stride);
}
template <int u>
FORGE_INLINE void load_cells(const std::byte* p) {
  if constexpr (u == 0) _tile_loadd(4, p, 64);
  if constexpr (u == 1) _tile_loadd(5, p, 64);
}
/// sums += tokens x cells, signed by signed bytes.
template <int u>
FORGE_INLINE void dot_tiles() {
  if constexpr (u == 0) _tile_dpbssd(0, 2, 4);
  if constexpr (u == 1) _tile_dpbssd(1, 3, 5);
}
/// 16 tokens x 16 rows.
template <int u>
FORGE_INLINE void store_sums(int32_t* p) {
  if constexpr (u == 0) _tile_stored(0, p, 64);
  if constexpr (u == 1) _tile_stored(1, p, 64);
}

}  // namespace forge::kernels::cpu::FORGE_LEVEL
