// F32, F16 and BF16 weights. Every output is two chains of fused multiply-adds, over even and odd
// steps of K, added at the end: two hide enough latency to read weights at memory speed for one
// token, and a register tile for many tokens still fits.
//
//   step s:   F32, F16   k = 2s to the first chain, k = 2s + 1 to the second
//             BF16       pair (4s, 4s + 1) to the first, (4s + 2, 4s + 3) to the second
#pragma once

#include "forge/kernels/cpu/kernel_table.h"
#include "forge/kernels/cpu/packed_format.h"
#include "forge/kernels/cpu/simd/simd.h"

namespace forge::kernels::cpu::FORGE_LEVEL {

/// How a type's step is read: both chains' weights of one part, and the token's operand.
struct F32Weights {
  static constexpr int kStepBytes = 128;
  using Activation = float;
  static constexpr int kStepElements = 2;
  FORGE_INLINE static void load_step(const std::byte* p, int part, FloatV (&w)[2]) {
    w[0] = load(reinterpret_cast<const float*>(p) + part * kLanes);
    w[1] = load(reinterpret_cast<const float*>(p + 64) + part * kLanes);
  }
  FORGE_INLINE static FloatV step(FloatV acc, FloatV w, const float* x, int chain) {
    return fma(w, set1(x[chain]), acc);
  }
};

struct F16Weights {
  static constexpr int kStepBytes = 64;
  using Activation = float;
  static constexpr int kStepElements = 2;
  FORGE_INLINE static void load_step(const std::byte* p, int part, FloatV (&w)[2]) {
    w[0] = load_f16(p + part * kLanes * 2);
    w[1] = load_f16(p + 32 + part * kLanes * 2);
  }
  FORGE_INLINE static FloatV step(FloatV acc, FloatV w, const float* x, int chain) {
    return fma(w, set1(x[chain]), acc);
  }
};

struct Bf16Weights {
  static constexpr int kStepBytes = 128;
  using Activation = uint16_t;
  static constexpr int kStepElements = 4;
  FORGE_INLINE static void load_step(const std::byte* p, int part, CellV (&w)[2]) {
    w[0] = load_cell(p + part * kPartBytes);
    w[1] = load_cell(p + 64 + part * kPartBytes);
  }
  FORGE_INLINE static FloatV step(FloatV acc, CellV w, const uint16_t* x, int chain) {
    return dot2_bf16(acc, w, broadcast4(x + 2 * chain));
  }
};

template <class W>
struct WeightVector {
  using Type = FloatV;
};
template <>
struct WeightVector<Bf16Weights> {
  using Type = CellV;
};

/// kStrips strips x kColumns tokens over n_steps steps. strips: each at its part's panel. Weights
/// are fetched kPrefetchBytes ahead, where that is not 0.
template <class W, int kStrips, int kColumns, int kPrefetchBytes>
FORGE_INLINE void float_tile(const std::byte* const (&panels)[kStrips], const int (&parts)[kStrips],
                             int64_t n_steps, const typename W::Activation* x, int64_t x_stride,
                             float* const (&y)[kStrips], int64_t y_stride, int32_t n_valid) {
  using Vector = typename WeightVector<W>::Type;
  const typename W::Activation* rows[kColumns];
  for (int c = 0; c < kColumns; ++c) rows[c] = x + (c < n_valid ? c : n_valid - 1) * x_stride;
  FloatV acc[2][kStrips][kColumns];
  for (int h = 0; h < 2; ++h) {
    for (int r = 0; r < kStrips; ++r) {
      for (int c = 0; c < kColumns; ++c) acc[h][r][c] = zero();
    }
  }
  for (int64_t s = 0; s < n_steps; ++s) {
    if constexpr (kPrefetchBytes > 0) {
      for (int b = 0; b < W::kStepBytes; b += 64) {
        prefetch(panels[0] + s * W::kStepBytes + kPrefetchBytes + b);
      }
    }
    Vector w[kStrips][2];
    for (int r = 0; r < kStrips; ++r) W::load_step(panels[r] + s * W::kStepBytes, parts[r], w[r]);
    for (int h = 0; h < 2; ++h) {
#pragma GCC unroll 8
      for (int c = 0; c < kColumns; ++c) {
        for (int r = 0; r < kStrips; ++r) {
          acc[h][r][c] = W::step(acc[h][r][c], w[r][h], rows[c] + s * W::kStepElements, h);
        }
      }
    }
  }
  for (int c = 0; c < kColumns; ++c) {
    if (c >= n_valid) break;
    for (int r = 0; r < kStrips; ++r) store(y[r] + c * y_stride, add(acc[0][r][c], acc[1][r][c]));
  }
}

template <class W>
FORGE_INLINE const typename W::Activation* activations(const MatmulTask& task) {
  if constexpr (sizeof(typename W::Activation) == 2) {
    return task.x_bf16;
  } else {
    return task.x_f32;
  }
}

/// kStrips strips of the panels at `weight` (one panel's parts follow one another), all tokens.
template <class W, int kStrips, int kColumns, int kPrefetchBytes = 0>
void float_strips(const MatmulTask& task, const std::byte* weight, int64_t panel_bytes,
                  int64_t n_steps, float* y) {
  for (int32_t t = 0; t < task.n_tokens; t += kColumns) {
    // The parts of a panel one after another where the tile holds fewer strips than a panel has.
    constexpr int kSets = kStrips < kParts ? kParts / kStrips : 1;
    for (int set = 0; set < kSets; ++set) {
      const std::byte* panels[kStrips];
      int parts[kStrips];
      float* out[kStrips];
      for (int r = 0; r < kStrips; ++r) {
        const int strip = set * kStrips + r;
        panels[r] = weight + strip / kParts * panel_bytes;
        parts[r] = strip % kParts;
        out[r] = y + strip * kLanes + t * task.y_stride;
      }
      float_tile<W, kStrips, kColumns, kPrefetchBytes>(
          panels, parts, n_steps, activations<W>(task) + t * task.x_stride, task.x_stride, out,
          task.y_stride, task.n_tokens - t);
    }
  }
}

/// Registers: 2 chains x strips x tokens of sums, 2 x strips of weights, one broadcast.
inline constexpr int kFloatStrips = kRegisters == 16 ? 1 : kLanes == 16 ? 2 : 4;
inline constexpr int kFloatColumns = kRegisters == 16 ? 5 : kLanes == 16 ? 6 : 3;

/// Up to this many tokens, products wait for weights from memory more than they gain from a wider
/// tile. How far ahead these are fetched; one token leaves that to the hardware. Measured:
/// docs/perf/cpu.md.
inline constexpr int kMaxFewTokens = 32;
inline constexpr int kFewPrefetch = 4096;

template <class W>
void float_few_tokens(const MatmulTask& task, int64_t n_steps) {
  constexpr int kStrips = kLanes == 16 ? 1 : kRegisters == 32 ? 4 : kParts > 2 ? 1 : 2;
  for (int32_t panel = task.panel_begin; panel < task.panel_end; ++panel) {
    const std::byte* weight = task.weight + panel * task.panel_bytes;
    float* y = task.y + (panel - task.panel_begin) * kPanelRows;
    if (task.n_tokens == 1) {
      float_strips<W, kStrips, 1>(task, weight, task.panel_bytes, n_steps, y);
    } else if (task.n_tokens == 2) {
      float_strips<W, kStrips, 2, kFewPrefetch>(task, weight, task.panel_bytes, n_steps, y);
    } else if (task.n_tokens <= 4 || kLanes < 16) {
      float_strips<W, kStrips, kLanes == 16 ? 4 : 2, kFewPrefetch>(task, weight, task.panel_bytes,
                                                                   n_steps, y);
    } else {
      float_strips<W, kStrips, 8, kFewPrefetch>(task, weight, task.panel_bytes, n_steps, y);
    }
  }
}

/// Many tokens: kFloatStrips at a time. For F16 the panels are widened to f32 in scratch first.
template <class W, bool kWiden>
void float_many_tokens(const MatmulTask& task, int64_t n_steps) {
  constexpr int kPanels = kFloatStrips <= kParts ? 1 : kFloatStrips / kParts;
  for (int32_t panel = task.panel_begin; panel < task.panel_end; panel += kPanels) {
    const int n = task.panel_end - panel < kPanels ? 1 : kPanels;
    const std::byte* weight = task.weight + panel * task.panel_bytes;
    int64_t panel_bytes = task.panel_bytes;
    if constexpr (kWiden) {
      for (int i = 0; i < n; ++i) {
        auto* out = reinterpret_cast<float*>(task.scratch + i * 2 * panel_bytes);
        const std::byte* in = weight + i * panel_bytes;
        for (int64_t v = 0; v < panel_bytes / (2 * kLanes); ++v) {
          store(out + v * kLanes, load_f16(in + v * 2 * kLanes));
        }
      }
      weight = task.scratch;
      panel_bytes *= 2;
    }
    float* y = task.y + (panel - task.panel_begin) * kPanelRows;
    if (n == kPanels) {
      float_strips<W, kFloatStrips, kFloatColumns>(task, weight, panel_bytes, n_steps, y);
    } else {
      float_strips<W, 1, kFloatColumns>(task, weight, panel_bytes, n_steps, y);
    }
  }
}

inline void matmul_f32(const MatmulTask& task) {
  const int64_t n_steps = task.panel_bytes / F32Weights::kStepBytes;
  if (task.n_tokens <= kMaxFewTokens) return float_few_tokens<F32Weights>(task, n_steps);
  float_many_tokens<F32Weights, false>(task, n_steps);
}

inline void matmul_f16(const MatmulTask& task) {
  const int64_t n_steps = task.panel_bytes / F16Weights::kStepBytes;
  if (task.n_tokens <= kMaxFewTokens) return float_few_tokens<F16Weights>(task, n_steps);
  float_many_tokens<F32Weights, true>(task, n_steps);
}

inline void matmul_bf16(const MatmulTask& task) {
  const int64_t n_steps = task.panel_bytes / Bf16Weights::kStepBytes;
  if (task.n_tokens <= kMaxFewTokens) return float_few_tokens<Bf16Weights>(task, n_steps);
  float_many_tokens<Bf16Weights, false>(task, n_steps);
}

}  // namespace forge::kernels::cpu::FORGE_LEVEL
