// Chooses a loop by the number of tokens. The result's bits do not depend on which one.
#pragma once

#include "forge/kernels/cpu/level/entries.h"
#include "forge/kernels/cpu/level/matmul_expanded.h"
#include "forge/kernels/cpu/level/matmul_fused.h"
#ifdef FORGE_SIMD_AMX
#include "forge/kernels/cpu/level/matmul_amx.h"
#endif

namespace forge::kernels::cpu::FORGE_LEVEL {

/// Up to this many tokens the weights are unpacked anew for every few of them; more pay for the
/// detour through L2. Measured: docs/perf/cpu.md.
inline constexpr int kMaxFusedTokens = 32;

template <DType kType>
void matmul(const MatmulTask& task) {
  if (task.n_tokens == 1) return fused_loop<kType, 1>(task);
  // Without vectors there is nothing to gain from a choice of tiles, only code.
  if constexpr (!kIsScalar) {
    if (task.n_tokens == 2) return fused_loop<kType, 2>(task);
    if (task.n_tokens <= 4) return fused_loop<kType, 4>(task);
    if (task.n_tokens <= kMaxFusedTokens) {
      // Registers: per token a float sum and one or two integer sums per part.
      if constexpr (kLanes == 16) {
        if (task.n_tokens <= 6) return fused_loop<kType, 6>(task);
        return fused_loop<kType, 8>(task);
      } else {
        return fused_loop<kType, 4>(task);
      }
    }
  }
#ifdef FORGE_SIMD_AMX
  static_assert(kMaxFusedTokens + 1 >= kTileTokens);
  tiled_loop<kType>(task);
#else
  expanded_loop<kType>(task);
#endif
}

}  // namespace forge::kernels::cpu::FORGE_LEVEL
