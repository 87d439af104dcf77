// Loop F: one panel at a time, unpacked in registers and used at once for a few tokens. What decode
// runs on: every weight byte is read once per kColumns tokens and nothing is written but results.
#pragma once

#include "forge/kernels/cpu/level/columns.h"

namespace forge::kernels::cpu::FORGE_LEVEL {

/// How far ahead of the loads weights are fetched into L1. Plain 8-bit weights times a few tokens
/// keep the hardware prefetcher busy by themselves; unpacking, or more tokens, leave gaps in which
/// it falls behind. Measured: docs/perf/cpu.md.
template <DType kType, int kColumns>
inline constexpr int kPrefetchBytes = packed_format(kType).low_bits == 8 && kColumns <= 4 ? 0
                                                                                          : 4096;

template <DType kType, int kPart, int kCell, int kColumns, int kWidth>
FORGE_INLINE void dot_cell(const std::byte* planes, const Columns<kColumns, kWidth>& x, int64_t g,
                           Int32V (&isum0)[kColumns], Int32V (&isum1)[kColumns]) {
  constexpr bool kSecond = packed_format(kType).is_per_16 && kCell >= 4;
  const CellV cell = unpack_cell<kType, kCell>(planes + kPart * kPartBytes);
  for (int c = 0; c < kColumns; ++c) {
    Int32V& isum = kSecond ? isum1[c] : isum0[c];
    isum = dot4<kCodeBits<kType>>(isum, cell, broadcast4(x.q(c, g) + 4 * kCell));
  }
}

template <DType kType, int kPart, int kColumns, int kWidth>
FORGE_INLINE void fused_part(const std::byte* planes, const typename HeaderOf<kType>::Type& header,
                             int sub, const Columns<kColumns, kWidth>& x, int64_t g,
                             FloatV (&acc)[kColumns]) {
  constexpr PackedFormat kFormat = packed_format(kType);
  Int32V isum0[kColumns];
  Int32V isum1[kColumns];
  for (int c = 0; c < kColumns; ++c) {
    if constexpr (kFormat.is_per_16) {
      isum0[c] = start_sum<kStartOffset<kType>>(x.nsum16(c, g));
      isum1[c] = start_sum<kStartOffset<kType>>(x.nsum16(c, g) + 1);
    } else {
      isum0[c] = start_sum<kStartOffset<kType>>(x.nsum(c, g));
      isum1[c] = isum0[c];
    }
  }
  // Cells that share a vector next to each other, so that it is loaded once.
  dot_cell<kType, kPart, 0>(planes, x, g, isum0, isum1);
  dot_cell<kType, kPart, 4>(planes, x, g, isum0, isum1);
  dot_cell<kType, kPart, 2>(planes, x, g, isum0, isum1);
  dot_cell<kType, kPart, 6>(planes, x, g, isum0, isum1);
  dot_cell<kType, kPart, 1>(planes, x, g, isum0, isum1);
  dot_cell<kType, kPart, 5>(planes, x, g, isum0, isum1);
  dot_cell<kType, kPart, 3>(planes, x, g, isum0, isum1);
  dot_cell<kType, kPart, 7>(planes, x, g, isum0, isum1);
  const Scales s = header.scales(sub, kPart);
  for (int c = 0; c < kColumns; ++c) {
    acc[c] = accumulate<kFormat.has_min, kFormat.is_per_16>(
        acc[c], isum0[c], isum1[c], s, x.d(c, g), x.nsum(c, g), x.nsum16(c, g));
  }
}

/// One panel times kColumns tokens; the first n_valid are stored.
template <DType kType, int kColumns, int kWidth>
FORGE_INLINE void fused_panel(const std::byte* panel, int64_t n_groups,
                              const Columns<kColumns, kWidth>& x, float* y, int64_t y_stride,
                              int32_t n_valid) {
  constexpr PackedFormat kFormat = packed_format(kType);
  FloatV acc[kParts][kColumns];
  for (int p = 0; p < kParts; ++p) {
    for (int c = 0; c < kColumns; ++c) acc[p][c] = zero();
  }
  int64_t group = 0;  // of 32
  for (int64_t g = 0; g < n_groups; ++g) {
    const typename HeaderOf<kType>::Type header(panel);
    const std::byte* planes = panel + kFormat.header_bytes;
    for (int sub = 0; sub < kFormat.group_len / kSubLen; ++sub) {
      if constexpr (kPrefetchBytes < kType, kColumns >> 0) {
        for (int b = 0; b < kFormat.sub_bytes(); b += 64) {
          prefetch(planes + kPrefetchBytes<kType, kColumns> + b);
        }
      }
      fused_part<kType, 0>(planes, header, sub, x, group, acc[0]);
      if constexpr (kParts > 1) fused_part<kType, 1>(planes, header, sub, x, group, acc[1]);
      if constexpr (kParts > 2) {
        fused_part<kType, 2>(planes, header, sub, x, group, acc[2]);
        fused_part<kType, 3>(planes, header, sub, x, group, acc[3]);
      }
      planes += kFormat.sub_bytes();
      ++group;
      compiler_barrier();
    }
    panel += kFormat.group_bytes();
  }
  for (int c = 0; c < kColumns; ++c) {
    if (c >= n_valid) break;
    for (int p = 0; p < kParts; ++p) store(y + c * y_stride + p * kLanes, acc[p][c]);
  }
}

/// All panels of a task, kColumns tokens at a time.
template <DType kType, int kColumns, int kWidth = kColumns>
void fused_loop(const MatmulTask& task) {
  const int64_t n_groups = panel_groups(kType, task.k);
  for (int32_t panel = task.panel_begin; panel < task.panel_end; ++panel) {
    const std::byte* weight = task.weight + panel * task.panel_bytes;
    for (int32_t t = 0; t < task.n_tokens; t += kColumns) {
      const Columns<kColumns, kWidth> x(*task.x_int8, t, task.n_tokens);
      fused_panel<kType>(weight, n_groups, x,
                         task.y + t * task.y_stride + (panel - task.panel_begin) * kPanelRows,
                         task.y_stride, task.n_tokens - t);
    }
  }
}

}  // namespace forge::kernels::cpu::FORGE_LEVEL
