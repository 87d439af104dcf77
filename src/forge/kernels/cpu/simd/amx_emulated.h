// simd/amx.h in plain C++, for tests: tiles are arrays with the shapes that were configured, bytes
// outside them zero, and the dot is the loop of Intel's manual (SDM vol. 2, TDPBSSD).
#pragma once

#include <cstddef>
#include <cstdint>

namespace forge::kernels::cpu::FORGE_LEVEL {

struct EmulatedTile {
  int rows;
  int row_bytes;
  alignas(64) int8_t bytes[16][64];
};
inline thread_local EmulatedTile emulated_tiles[6];

inline void configure_tiles(int k_bytes) {
  for (int u = 0; u < 2; ++u) {
    emulated_tiles[u] = {16, 64, {}};
    emulated_tiles[2 + u] = {16, k_bytes, {}};
    emulated_tiles[4 + u] = {k_bytes / 4, 64, {}};
  }
}
/// Until they are configured again tiles have no rows, and products with them are zero.
inline void release_tiles() {
  for (EmulatedTile& tile : emulated_tiles) tile = {};
}

inline void load_emulated(EmulatedTile& tile, const void* p, int64_t stride) {
  __builtin_memset(tile.bytes, 0, sizeof tile.bytes);
  for (int r = 0; r < tile.rows; ++r) {
    __builtin_memcpy(tile.bytes[r], static_cast<const char*>(p) + r * stride,
                     static_cast<size_t>(tile.row_bytes));
  }
}

template <int u>
void zero_sums() {
  __builtin_memset(emulated_tiles[u].bytes, 0, sizeof emulated_tiles[u].bytes);
}
template <int u>
void load_tokens(const int8_t* p, int64_t stride) {
  load_emulated(emulated_tiles[2 + u], p, stride);
}
template <int u>
void load_cells(const std::byte* p) {
  load_emulated(emulated_tiles[4 + u], p, 64);
}
template <int u>
void dot_tiles() {
  EmulatedTile& sums = emulated_tiles[u];
  const EmulatedTile& a = emulated_tiles[2 + u];
  const EmulatedTile& b = emulated_tiles[4 + u];
  for (int m = 0; m < a.rows; ++m) {
    for (int k = 0; k < a.row_bytes / 4; ++k) {
      for (int n = 0; n < b.row_bytes / 4; ++n) {
        int32_t sum;
        __builtin_memcpy(&sum, &sums.bytes[m][4 * n], sizeof sum);
        for (int i = 0; i < 4; ++i) sum += a.bytes[m][4 * k + i] * b.bytes[k][4 * n + i];
        __builtin_memcpy(&sums.bytes[m][4 * n], &sum, sizeof sum);
      }
    }
  }
}
template <int u>
void store_sums(int32_t* p) {
  const EmulatedTile& sums = emulated_tiles[u];
  for (int r = 0; r < sums.rows; ++r) __builtin_memcpy(p + 16 * r, sums.bytes[r], 64);
}

}  // namespace forge::kernels::cpu::FORGE_LEVEL
