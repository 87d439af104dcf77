// One head of one token between the QKV product and attention: its norm and its turn, by a warp.
// Shared by all kernels that do it, so that they round alike: products that could be contracted
// into different fused ones say which.
#pragma once

#include "forge/kernels/cuda/attention/task.h"
#include "forge/kernels/cuda/device/math.h"
#include "forge/kernels/cuda/device/memory.h"
#include "forge/kernels/cuda/device/warp.h"

namespace forge::kernels::cuda {

enum class QkvPart { kQuery, kKey, kValue };

/// Lane l holds dimensions l, l + 32, ...; zeros beyond the model's.
template <int HeadDim>
struct HeadRow {
  static constexpr int kPerLane = HeadDim / kWarpLanes;
  float x[kPerLane];
};

/// head: of its part.
template <int HeadDim>
FORGE_DEVICE HeadRow<HeadDim> load_head(const HeadShape& heads, const QkvRows& rows, int token,
                                        int position, QkvPart part, int head, int lane) {
  const int first = part == QkvPart::kQuery ? 0
                    : part == QkvPart::kKey ? heads.n_heads
                                            : heads.n_heads + heads.n_kv_heads;
  const float* from = rows.qkv + token * rows.stride + int64_t{first + head} * heads.head_dim;
  HeadRow<HeadDim> row;
  FORGE_UNROLL
  for (int i = 0; i < row.kPerLane; ++i) {
    const int d = lane + i * kWarpLanes;
    row.x[i] = d < heads.head_dim ? from[d] : 0.0f;
  }
  if (part == QkvPart::kValue) return row;

  const float* norm = part == QkvPart::kQuery ? rows.q_norm : rows.k_norm;
  float scale = 1.0f;
  if (norm != nullptr) {
    float squares = 0.0f;
    FORGE_UNROLL
    for (int i = 0; i < row.kPerLane; ++i) squares = fused(row.x[i], row.x[i], squares);
    squares = sum_lanes<kWarpLanes>(squares);
    scale = 1.0f / sqrtf(squares / static_cast<float>(heads.head_dim) + rows.norm_eps);
  }
  const int half = rows.rotary_dim / 2;
  const bool is_long = rows.is_long != nullptr && rows.is_long[token] != 0;
  const float* angles = (is_long ? rows.long_angles : rows.angles) + int64_t{position} * half * 2;
  FORGE_UNROLL
  for (int i = 0; i < row.kPerLane; ++i) {
    const int d = lane + i * kWarpLanes;
    if (d >= heads.head_dim) continue;
    row.x[i] *= scale;
    if (norm != nullptr) row.x[i] *= norm[d];
    if (d >= rows.rotary_dim) continue;
    // The other one of the pair comes from memory: it is in L1, and its lane and register depend on
    // rotary_dim.
    const bool is_first = rows.turns_pairs ? d % 2 == 0 : d < half;
    const int other = rows.turns_pairs ? d ^ 1 : is_first ? d + half : d - half;
    const int angle = rows.turns_pairs ? d / 2 : is_first ? d : d - half;
    float y = from[other] * scale;
    if (norm != nullptr) y *= norm[other];
    const Words2 turn = load_as<Words2>(angles + 2 * angle);
    const float y_sine = y * bits_as_float(turn.w[1]);
    row.x[i] = fused(row.x[i], bits_as_float(turn.w[0]), is_first ? -y_sine : y_sine);
  }
  return row;
}

}  // namespace forge::kernels::cuda
