// The end of a product: what is done with two sums of a row tile. Shared by all matmul kernels, so
// that they round alike.
#pragma once

#include "forge/kernels/cuda/device/half.h"
#include "forge/kernels/cuda/device/warp.h"
#include "forge/kernels/cuda/matmul/task.h"

namespace forge::kernels::cuda {

/// 1 / rms of a token, by all lanes of a warp.
FORGE_DEVICE float inverse_rms(const NormIn& norm, int token, int lane) {
  if (norm.squares == nullptr) return 1.0f;
  const float* squares = norm.squares + int64_t{token} * norm.n_tiles;
  float sum = 0.0f;
  for (int i = lane; i < norm.n_tiles; i += kWarpLanes) sum += squares[i];
  sum = sum_lanes<kWarpLanes>(sum);
  return 1.0f / sqrtf(sum / static_cast<float>(norm.n_tiles * kRowTile) + norm.eps);
}

FORGE_DEVICE float activate(Gate gate, float x) {
  if (gate == Gate::kSilu) return divide_fast(x, 1.0f + exp2_fast(-x * kLog2E));
  // tanh(u) = 1 - 2 / (1 + e^2u)
  const float u = 0.7978845608028654f * fused(0.044715f * x * x, x, x);
  const float tanh_u = 1.0f - divide_fast(2.0f, 1.0f + exp2_fast(2.0f * kLog2E * u));
  return 0.5f * x * (1.0f + tanh_u);
}

/// Rows g and g + 8 of a row tile for one token. 8 neighbouring lanes hold g = 0 .. 7 of the same
/// tile and token; all lanes of the warp must call, those with nothing to do with is_there false.
template <typename Half>
FORGE_DEVICE void finish_pair(const MatmulTask& task, int row_tile, int g, int token, float upper,
                              float lower, float inv_rms, bool is_there) {
  const int row = row_tile * kRowTile + g;
  const bool has_upper = is_there && row < task.n_rows;
  const bool has_lower = is_there && row + 8 < task.n_rows;
  upper *= inv_rms;
  lower *= inv_rms;
  if (task.bias != nullptr) {
    if (has_upper) upper += task.bias[row];
    if (has_lower) lower += task.bias[row + 8];
  }
  if (task.finish == Finish::kGated) {
    if (!has_upper) return;
    auto* y = static_cast<uint16_t*>(task.y) + token * task.y_stride + row_tile * 8 + g;
    *y = static_cast<uint16_t>(Half::pack(activate(task.gate, upper) * lower, 0.0f));
    return;
  }
  float* y = static_cast<float*>(task.y) + token * task.y_stride + row;
  if (task.finish == Finish::kAdd) {
    upper = has_upper ? y[0] + upper : 0.0f;
    lower = has_lower ? y[8] + lower : 0.0f;
    const float squares = sum_lanes<8>(fused(lower, lower, upper * upper));
    if (task.next.scaled != nullptr) {
      uint16_t* scaled = task.next.scaled + token * task.next.stride + row;
      if (has_upper) {
        scaled[0] = static_cast<uint16_t>(Half::pack(upper * task.next.weight[row], 0.0f));
      }
      if (has_lower) {
        scaled[8] = static_cast<uint16_t>(Half::pack(lower * task.next.weight[row + 8], 0.0f));
      }
      if (is_there && g == 0) {
        task.next.squares[int64_t{token} * task.weight.n_row_tiles() + row_tile] = squares;
      }
    }
  } else if (task.finish == Finish::kLogits) {
    const float none = -INFINITY;
    // A maximum drops what is not a number; as +infinity the sampler finds it.
    const auto seen = [](float x) { return x == x ? x : INFINITY; };
    const float most =
        max_lanes<8>(larger(has_upper ? seen(upper) : none, has_lower ? seen(lower) : none));
    if (is_there && g == 0) {
      task.maxima[int64_t{token} * task.weight.n_row_tiles() + row_tile] = most;
    }
  }
  if (has_upper) y[0] = upper;
  if (has_lower) y[8] = lower;
}

}  // namespace forge::kernels::cuda
