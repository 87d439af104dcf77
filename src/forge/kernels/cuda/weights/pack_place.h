// Where a warp of the packing kernels is: a warp packs one step of one row tile.
#pragma once

#include "forge/kernels/cuda/device/platform.h"
#include "forge/kernels/cuda/weights/fragments.h"
#include "forge/kernels/cuda/weights/pack.h"

namespace forge::kernels::cuda {

inline constexpr int kPackWarps = 8;

/// The row tiles that a task touches.
struct TouchedTiles {
  int64_t first;
  int64_t n;
};
constexpr TouchedTiles touched_tiles(const PackTask& task) {
  const int64_t first = task.place.packed_of(task.first_row) / kRowTile;
  return {first, task.place.packed_of(task.first_row + task.n_rows - 1) / kRowTile - first + 1};
}

/// The last block has warps past the end: they have no rows.
struct PackPlace {
  LanePlace at;
  int64_t source[2];  // index into the rows of `from` for rows g, g + 8; negative: not this task's

  FORGE_DEVICE static PackPlace of_this_lane(const PackTask& task) {
    const int64_t index = int64_t{block_x()} * kPackWarps + warp_index();
    const int n_steps = task.to.n_steps();
    const TouchedTiles tiles = touched_tiles(task);
    PackPlace place;
    place.at = {static_cast<int>(tiles.first + index / n_steps), static_cast<int>(index % n_steps),
                n_steps, lane_index()};
    FORGE_UNROLL
    for (int h = 0; h < 2; ++h) {
      const int64_t packed = int64_t{place.at.row_tile} * kRowTile + place.at.lane / 4 + 8 * h;
      const int64_t row = task.place.source_of(packed) - task.first_row;
      place.source[h] = row < task.n_rows ? row : -1;
    }
    return place;
  }
};

/// Numbers of columns 8t .. 8t + 7 of a group to their planes; h: row g or g + 8.
template <WeightKind Kind>
FORGE_DEVICE void store_numbers(const PackedMatrix& m, const LanePlace& at, int group, int h,
                                const uint32_t (&numbers)[8]) {
  constexpr Planes kPlanes = planes_of(Kind);
  const int64_t lane = at.index() * kWarpLanes + at.lane;
  const int word = 2 * group + h;
  uint32_t* low = reinterpret_cast<uint32_t*>(const_cast<std::byte*>(m.low));
  if constexpr (kPlanes.low_bits == 8) {
    uint32_t words[2] = {};
    for (int e = 0; e < 8; ++e) {
      words[e / 4] |= numbers[e] << (8 * (e % 4 / 2 + 2 * (e % 2)));
    }
    low[lane * 8 + 2 * word] = words[0];
    low[lane * 8 + 2 * word + 1] = words[1];
  } else {
    uint32_t bits = 0;
    for (int e = 0; e < 8; ++e) bits |= (numbers[e] & 15u) << (4 * (e / 2 + 4 * (e % 2)));
    low[lane * 4 + word] = bits;
  }
  if constexpr (kPlanes.high_bits > 0) {
    // Both rows share a word, and the other one may be another task's.
    constexpr int kBits = kPlanes.high_bits;
    const int place = kBits == 1 ? word : h;
    uint32_t* high = reinterpret_cast<uint32_t*>(const_cast<std::byte*>(m.high)) +
                     (kBits == 1 ? lane : lane * 2 + group);
    const uint32_t mask = (kBits == 1 ? 0x000F000Fu : 0x00FF00FFu) << (4 * kBits * place);
    uint32_t bits = 0;
    for (int e = 0; e < 8; ++e) {
      bits |= (numbers[e] >> 4) << (kBits * (4 * place + e / 2) + 16 * (e % 2));
    }
    *high = (*high & ~mask) | bits;
  }
}

/// Both groups of a row: for each a scale and what goes with it (the min, the second scale).
template <typename Product, WeightKind Kind>
FORGE_DEVICE void store_scales(const PackedMatrix& m, const LanePlace& at, int h,
                               const float (&scales)[2][2]) {
  auto* to = reinterpret_cast<uint32_t*>(const_cast<std::byte*>(m.scales));
  const int64_t row = (at.index() * 8 + at.lane / 4) * 2 + h;
  if constexpr (planes_of(Kind).scales == ScaleKind::kGroup32) {
    to[row] = Product::pack(scales[0][0], scales[1][0]);
  } else {
    to[row * 2] = Product::pack(scales[0][0], scales[0][1]);
    to[row * 2 + 1] = Product::pack(scales[1][0], scales[1][1]);
  }
}

}  // namespace forge::kernels::cuda
