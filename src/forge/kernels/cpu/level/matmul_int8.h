// Chooses a loop by the number of tokens. The result's bits do not depend on which one.
#pragma once

#include "forge/kernels/cpu/level/entries.h"
#include "forge/kernels/cpu/level/matmul_expanded.h"
#include "forge/kernels/cpu/level/matmul_fused.h"
#ifdef FORGE_SIMD_AMX
#include "forge/kernels/cpu/level/matmul_amx.h"
#endif

namespace forge::kernels::cpu::FORGE_LEVEL {

/// Loops are chosen by the activations' width, which int8_width() chose by the number of tokens.
template <DType kType>
void matmul(const MatmulTask& task) {
  const int width = task.x_int8->width;
  if (width == 1) return fused_loop<kType, 1>(task);
  // Without vectors there is nothing to gain from a choice of tiles, only code.
  if constexpr (!kIsScalar) {
    if (width == 2) return fused_loop<kType, 2>(task);
    if constexpr (kLanes == 16) {
      if (width == 4) return fused_loop<kType, 4>(task);
      // Registers: per token a float sum and one or two integer sums per part.
      if (task.n_tokens <= 6 && width == 8) return fused_loop<kType, 6, 8>(task);
      if (task.n_tokens <= kMaxFusedTokens && width == 8) return fused_loop<kType, 8>(task);
    } else {
      if (task.n_tokens <= kMaxFusedTokens) return fused_loop<kType, 4>(task);
    }
  }
#ifdef FORGE_SIMD_AMX
  if (width == kTileTokens) return tiled_loop<kType>(task);
#endif
  expanded_loop<kType>(task);
}

}  // namespace forge::kernels::cpu::FORGE_LEVEL
