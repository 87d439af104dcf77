// Loop E: a few strips of rows unpacked over all of K into L2, then multiplied by every tile of
// tokens with the sums in registers from the first k to the last.
//
//   strip = kLanes rows:  cells  (k / 4 vectors) | scales (k / 32 or k / 16 vectors of f32) |
//   minimums
#pragma once

#include "forge/kernels/cpu/level/columns.h"

namespace forge::kernels::cpu::FORGE_LEVEL {

/// Where the pieces of an expanded strip lie.
struct Strip {
  const std::byte* cells;
  const float* scales;
  const float* minimums;
};

template <DType kType>
struct StripLayout {
  static constexpr PackedFormat kFormat = packed_format(kType);
  static constexpr int kScalesPerSub = kFormat.is_per_16 ? 2 : 1;
  int64_t n_subs;

  [[nodiscard]] FORGE_INLINE int64_t cell_bytes() const { return n_subs * 8 * kPartBytes; }
  [[nodiscard]] FORGE_INLINE int64_t scale_bytes() const {
    return n_subs * kScalesPerSub * kPartBytes;
  }
  [[nodiscard]] FORGE_INLINE int64_t bytes() const {
    return cell_bytes() + scale_bytes() * (kFormat.has_min ? 2 : 1);
  }
  [[nodiscard]] FORGE_INLINE Strip at(const std::byte* p) const {
    const auto* scales = reinterpret_cast<const float*>(p + cell_bytes());
    return {p, scales, scales + scale_bytes() / 4};
  }
};

template <DType kType, int kCell>
FORGE_INLINE void expand_cell(const std::byte* planes, std::byte* out) {
  store_cell(out + kCell * kPartBytes, unpack_cell<kType, kCell>(planes));
}

/// One panel (16 rows) into kParts strips at out.
template <DType kType>
FORGE_INLINE void expand_panel(const std::byte* panel, int64_t n_groups,
                               const StripLayout<kType>& layout, std::byte* out) {
  constexpr PackedFormat kFormat = packed_format(kType);
  constexpr int kSubs = kFormat.group_len / kSubLen;
  constexpr int kPerSub = StripLayout<kType>::kScalesPerSub;
  for (int64_t g = 0; g < n_groups; ++g) {
    const typename HeaderOf<kType>::Type header(panel);
    for (int sub = 0; sub < kSubs; ++sub) {
      const std::byte* planes = panel + kFormat.header_bytes + sub * kFormat.sub_bytes();
      for (int part = 0; part < kParts; ++part) {
        std::byte* strip = out + part * layout.bytes();
        std::byte* cells = strip + (g * kSubs + sub) * 8 * kPartBytes;
        const std::byte* p = planes + part * kPartBytes;
        expand_cell<kType, 0>(p, cells);
        expand_cell<kType, 4>(p, cells);
        expand_cell<kType, 2>(p, cells);
        expand_cell<kType, 6>(p, cells);
        expand_cell<kType, 1>(p, cells);
        expand_cell<kType, 5>(p, cells);
        expand_cell<kType, 3>(p, cells);
        expand_cell<kType, 7>(p, cells);
        const Scales s = header.scales(sub, part);
        float* scales = reinterpret_cast<float*>(strip + layout.cell_bytes()) +
                        (g * kSubs + sub) * kPerSub * kLanes;
        for (int i = 0; i < kPerSub; ++i) {
          store(scales + i * kLanes, s.s[i]);
          if constexpr (kFormat.has_min) {
            store(scales + layout.scale_bytes() / 4 + i * kLanes, s.m[i]);
          }
        }
      }
    }
    panel += kFormat.group_bytes();
  }
}

/// kStrips strips x kColumns tokens over all of K. Strip i's results go to y + i * kLanes.
template <DType kType, int kStrips, int kColumns, int kWidth>
[[gnu::noinline]] void expanded_tile(const Strip (&strips)[kStrips], int64_t n_subs,
                                     const Columns<kColumns, kWidth>& x, float* y, int64_t y_stride,
                                     int32_t n_valid) {
  constexpr PackedFormat kFormat = packed_format(kType);
  constexpr int kPerSub = kFormat.is_per_16 ? 2 : 1;
  constexpr int kCellsPerSum = 8 / kPerSub;
  FloatV acc[kStrips][kColumns];
  for (int r = 0; r < kStrips; ++r) {
    for (int c = 0; c < kColumns; ++c) acc[r][c] = zero();
  }
  for (int64_t g = 0; g < n_subs; ++g) {
    Int32V isum[kPerSub][kStrips][kColumns];
    for (int h = 0; h < kPerSub; ++h) {
      for (int c = 0; c < kColumns; ++c) {
        const int32_t* nsum = kFormat.is_per_16 ? x.nsum16(c, g) + h : x.nsum(c, g);
        const Int32V start = start_sum<kStartOffset<kType>>(nsum);
        for (int r = 0; r < kStrips; ++r) isum[h][r][c] = start;
      }
#pragma GCC unroll 8
      for (int i = 0; i < kCellsPerSum; ++i) {
        const int in_group = kCellsPerSum * h + i;
        const int64_t cell = 8 * g + in_group;
        CellV w[kStrips];
        for (int r = 0; r < kStrips; ++r) w[r] = load_cell(strips[r].cells + cell * kPartBytes);
#pragma GCC unroll 8
        for (int c = 0; c < kColumns; ++c) {
          const Int32V a = broadcast4(x.q(c, g) + 4 * in_group);
          for (int r = 0; r < kStrips; ++r) {
            isum[h][r][c] = dot4<kCodeBits<kType>>(isum[h][r][c], w[r], a);
          }
        }
      }
      if constexpr (!kFormat.is_per_16) break;
    }
    for (int r = 0; r < kStrips; ++r) {
      Scales s;
      for (int h = 0; h < kPerSub; ++h) {
        s.s[h] = load(strips[r].scales + (g * kPerSub + h) * kLanes);
        if constexpr (kFormat.has_min) {
          s.m[h] = load(strips[r].minimums + (g * kPerSub + h) * kLanes);
        }
      }
      for (int c = 0; c < kColumns; ++c) {
        acc[r][c] = accumulate<kFormat.has_min, kFormat.is_per_16>(
            acc[r][c], isum[0][r][c], isum[kPerSub - 1][r][c], s, x.d(c, g), x.nsum(c, g),
            x.nsum16(c, g));
      }
    }
  }
  for (int c = 0; c < kColumns; ++c) {
    if (c >= n_valid) break;
    for (int r = 0; r < kStrips; ++r) store(y + c * y_stride + r * kLanes, acc[r][c]);
  }
}

/// Register tiles. AVX-512: 32 integer and float sums leave room for two cells and broadcasts; a
/// second integer sum (scales per 16) or minimums take more.
template <DType kType>
struct Tile {
  static constexpr PackedFormat kFormat = packed_format(kType);
  static constexpr bool kIsWide = kRegisters == 32 && kLanes == 16;
  static constexpr int kStrips = kIsWide ? (kFormat.is_per_16 ? 2 : 3) : kRegisters == 32 ? 4 : 1;
  static constexpr int kColumns = kIsScalar ? 2 : kIsWide ? 4 : kRegisters == 32 ? 3 : 4;
};

/// Tokens of a strip set, tile by tile, then what is left over.
template <DType kType, int kStrips>
FORGE_INLINE void expanded_strips(const Strip (&strips)[kStrips], int64_t n_subs,
                                  const MatmulTask& task, float* y) {
  constexpr int kColumns = Tile<kType>::kColumns;
  for (int32_t t = 0; t < task.n_tokens; t += kColumns) {
    const Columns<kColumns, kManyWidth> x(*task.x_int8, t, task.n_tokens);
    expanded_tile<kType, kStrips>(strips, n_subs, x, y + t * task.y_stride, task.y_stride,
                                  task.n_tokens - t);
  }
}

template <DType kType>
void expanded_loop(const MatmulTask& task) {
  constexpr int kStrips = Tile<kType>::kStrips;
  const int64_t n_groups = panel_groups(kType, task.k);
  const StripLayout<kType> layout{n_groups * packed_format(kType).group_len / kSubLen};
  // Panels that fill the tile: strips of a panel are next to each other.
  constexpr int kPanels = kStrips <= kParts ? 1 : kStrips / kParts;
  for (int32_t panel = task.panel_begin; panel < task.panel_end; panel += kPanels) {
    const int32_t n = task.panel_end - panel < kPanels ? task.panel_end - panel : kPanels;
    for (int32_t i = 0; i < n; ++i) {
      expand_panel<kType>(task.weight + (panel + i) * task.panel_bytes, n_groups, layout,
                          task.scratch + i * kParts * layout.bytes());
    }
    float* y = task.y + (panel - task.panel_begin) * kPanelRows;
    int done = 0;
    const int n_strips = n * kParts;
    for (; done + kStrips <= n_strips; done += kStrips) {
      Strip strips[kStrips];
      for (int r = 0; r < kStrips; ++r) {
        strips[r] = layout.at(task.scratch + (done + r) * layout.bytes());
      }
      expanded_strips<kType, kStrips>(strips, layout.n_subs, task, y + done * kLanes);
    }
    for (; done < n_strips; ++done) {
      const Strip strip[1] = {layout.at(task.scratch + done * layout.bytes())};
      expanded_strips<kType, 1>(strip, layout.n_subs, task, y + done * kLanes);
    }
  }
}

}  // namespace forge::kernels::cpu::FORGE_LEVEL
