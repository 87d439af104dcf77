// The end of a product: what is done with two sums of a row tile. Shared by all matmul kernels, so
// that they round alike.
#pragma once

#include "forge/kernels/cuda/device/product.h"
#include "forge/kernels/cuda/device/warp.h"
#include "forge/kernels/cuda/matmul/row_scale.h"
#include "forge/kernels/cuda/matmul/task.h"

namespace forge::kernels::cuda {

/// The row of x that a token takes; negative: none.
FORGE_DEVICE int row_of_x(const MatmulTask& task, int token) {
  if (token >= task.n_tokens) return -1;
  return task.x_rows == nullptr ? token : task.x_rows[token];
}

/// What a token's sums are multiplied by, and f16's exponent of its row of x.
struct TokenScale {
  float inv_rms = 1.0f;
  int row_exponent = 0;
};

/// Of a token, by all lanes of a warp, which all get it; of one without a row of x: 1.
template <typename Product>
FORGE_DEVICE TokenScale token_scale(const MatmulTask& task, int token, int lane) {
  const NormIn& norm = task.norm;
  const int row = row_of_x(task, token);
  if (norm.squares == nullptr || row < 0) {
    return {Product::kIsNarrow && task.x_is_gated ? kGatedUnit : 1.0f, 0};
  }
  const float* squares = norm.squares + int64_t{row} * norm.n_tiles;
  float sum = 0.0f;
  for (int i = lane; i < norm.n_tiles; i += kWarpLanes) sum += squares[i];
  sum = sum_lanes<kWarpLanes>(sum);
  const float inv_rms = 1.0f / sqrtf(sum / static_cast<float>(norm.n_tiles * kRowTile) + norm.eps);
  if constexpr (!Product::kIsNarrow) return {inv_rms, 0};
  const int exponent = root_exponent(sum);
  return {inv_rms * power_of_two(exponent - kUnitExponent), exponent};
}

/// 8 columns of x from `column` on, brought to their row's exponent where f16 has one.
template <typename Product>
FORGE_DEVICE void bring_to_row(const MatmulTask& task, Words4& x, int row, int column,
                               int row_exponent) {
  if constexpr (Product::kIsNarrow) {
    const int tile = column / kRowTile;
    // Padding is zeros.
    if (task.norm.squares == nullptr || row < 0 || tile >= task.norm.n_tiles) return;
    bring_to_row<Product>(x, task.norm.squares[int64_t{row} * task.norm.n_tiles + tile],
                          row_exponent);
  }
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
template <typename Product>
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
    auto* y = static_cast<Element<Product>*>(task.y) + token * task.y_stride + row_tile * 8 + g;
    float value = activate(task.gate, upper) * lower;
    if constexpr (Product::kIsNarrow) value *= 1.0f / kGatedUnit;
    *y = to_element<Product>(value);
    return;
  }
  float* y = static_cast<float*>(task.y) + token * task.y_stride + row;
  if (task.finish == Finish::kAdd) {
    upper = has_upper ? y[0] + upper : 0.0f;
    lower = has_lower ? y[8] + lower : 0.0f;
    const float squares = sum_lanes<8>(fused(lower, lower, upper * upper));
    if (task.next.scaled != nullptr) {
      auto* scaled =
          static_cast<Element<Product>*>(task.next.scaled) + token * task.next.stride + row;
      const float scale = tile_scale<Product>(squares);
      const auto rounded = [scale](float h, float weight) {
        return to_element<Product>(Product::kIsNarrow ? h * weight * scale : h * weight);
      };
      if (has_upper) scaled[0] = rounded(upper, task.next.weight[row]);
      if (has_lower) scaled[8] = rounded(lower, task.next.weight[row + 8]);
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

/// Sums of row tiles and tokens in shared memory: float sums[n_segments][n_tiles * 16][kStride].
/// Lanes that read rows 0 .. 7 and 4 tokens meet no bank twice.
template <int Tokens>
inline constexpr int kSumStride = Tokens + 4;

/// Which part of the product a block has.
struct BlockPlace {
  int first_tile;
  int first_token;
};

/// Adds the segments up in ascending order and finishes, by `n_workers` warps of which this is
/// number `worker`. inv_rms: of the block's tokens, in shared memory.
template <typename Product, int RowTiles, int Tokens>
FORGE_DEVICE void finish_block(const MatmulTask& task, const BlockPlace& at, const float* sums,
                               int n_segments, const float* inv_rms, int worker, int n_workers) {
  constexpr int kSegment = RowTiles * kRowTile * kSumStride<Tokens>;
  const int rest = task.n_tokens - at.first_token;
  const int n_pairs = 8 * RowTiles * (rest < Tokens ? rest : Tokens);
  for (int first = worker * kWarpLanes; first < n_pairs; first += n_workers * kWarpLanes) {
    const int pair = first + lane_index();
    const int g = pair % 8;
    const int tile = pair / 8 % RowTiles;
    const int token = pair / 8 / RowTiles;
    const int row_tile = at.first_tile + tile;
    const bool is_there =
        row_tile < task.weight.n_row_tiles() && row_of_x(task, at.first_token + token) >= 0;
    float upper = 0.0f;
    float lower = 0.0f;
    float scale = 1.0f;
    if (is_there) {
      const float* of_pair = sums + (tile * kRowTile + g) * kSumStride<Tokens> + token;
      for (int segment = 0; segment < n_segments; ++segment) {
        upper += of_pair[segment * kSegment];
        lower += of_pair[segment * kSegment + 8 * kSumStride<Tokens>];
      }
      scale = inv_rms[token];
    }
    finish_pair<Product>(task, row_tile, g, at.first_token + token, upper, lower, scale, is_there);
  }
}

}  // namespace forge::kernels::cuda
