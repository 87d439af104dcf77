// After the QKV product: norms of heads, RoPE, queries into 16 bits, keys and values into the
// cache.
//
// A warp per (token, head of q, k or v). Sources: Su et al. 2021, arXiv:2104.09864 (RoPE); Qwen3
// report, arXiv:2505.09388 (norms of heads).
#pragma once

#include "forge/kernels/cuda/attention/task.h"
#include "forge/kernels/cuda/device/half.h"
#include "forge/kernels/cuda/device/warp.h"

namespace forge::kernels::cuda {

struct RopeAppendTask {
  const float* qkv = nullptr;  // (n_tokens, qkv_stride): heads of q, of k, of v
  int64_t qkv_stride = 0;
  int32_t n_tokens = 0;
  int32_t n_heads = 0;
  int32_t n_kv_heads = 0;
  int32_t head_dim = 0;           // of the model
  int32_t padded_head_dim = 0;    // of q, keys and values here
  const float* q_norm = nullptr;  // (head_dim) or none
  const float* k_norm = nullptr;
  float norm_eps = 0.0f;

  int32_t rotary_dim = 0;
  bool turns_pairs = false;        // (2i, 2i + 1) instead of (i, i + rotary_dim / 2)
  const float* cosines = nullptr;  // (n_tokens, rotary_dim / 2)
  const float* sines = nullptr;

  const int32_t* slots = nullptr;  // (n_tokens): block * kKvBlock + place in it
  KvLayer kv;
  uint16_t* q = nullptr;  // (n_tokens, n_heads, padded_head_dim)
};

/// Dimension d of a head before norm and turn: 32 lanes hold d = lane, lane + 32, ...
template <typename Half, int MaxHeadDim>
FORGE_KERNEL(256, 1)
rope_append(RopeAppendTask task) {
  constexpr int kPerLane = MaxHeadDim / kWarpLanes;
  wait_for_predecessor();
  let_successor_start();
  const int lane = lane_index();
  const int n_parts = task.n_heads + 2 * task.n_kv_heads;
  const int part = block_x() * (n_threads() / kWarpLanes) + warp_index();
  const int token = part / n_parts;
  const int head = part % n_parts;
  if (token >= task.n_tokens) return;  // whole warps
  const float* from = task.qkv + token * task.qkv_stride + int64_t{head} * task.head_dim;
  const bool is_q = head < task.n_heads;
  const bool is_k = !is_q && head < task.n_heads + task.n_kv_heads;

  float x[kPerLane];
  FORGE_UNROLL
  for (int i = 0; i < kPerLane; ++i) {
    const int d = lane + i * kWarpLanes;
    x[i] = d < task.head_dim ? from[d] : 0.0f;
  }
  const float* norm = is_q ? task.q_norm : is_k ? task.k_norm : nullptr;
  float scale = 1.0f;
  if (norm != nullptr) {
    float squares = 0.0f;
    FORGE_UNROLL
    for (int i = 0; i < kPerLane; ++i) squares = fused(x[i], x[i], squares);
    squares = sum_lanes<kWarpLanes>(squares);
    scale = 1.0f / sqrtf(squares / static_cast<float>(task.head_dim) + task.norm_eps);
  }
  // The other half of a pair, from memory: it is in the cache and needs no shuffles between
  // registers.
  const int half = task.rotary_dim / 2;
  FORGE_UNROLL
  for (int i = 0; i < kPerLane; ++i) {
    const int d = lane + i * kWarpLanes;
    if (d >= task.head_dim) continue;
    x[i] *= scale;
    if (norm != nullptr) x[i] *= norm[d];
    if (d >= task.rotary_dim || (!is_q && !is_k)) continue;
    const int other = task.turns_pairs ? d ^ 1 : d < half ? d + half : d - half;
    const bool is_first = task.turns_pairs ? d % 2 == 0 : d < half;
    const int angle = task.turns_pairs ? d / 2 : d % half;
    float y = from[other] * scale;
    if (norm != nullptr) y *= norm[other];
    const float c = task.cosines[int64_t{token} * half + angle];
    const float s = task.sines[int64_t{token} * half + angle];
    x[i] = is_first ? x[i] * c - y * s : x[i] * c + y * s;
  }

  const int width = task.padded_head_dim;
  uint16_t* to = nullptr;
  int64_t step = 1;
  if (is_q) {
    to = task.q + (int64_t{token} * task.n_heads + head) * width;
  } else {
    const int kv_head = (head - task.n_heads) % task.n_kv_heads;
    const int slot = task.slots[token];
    const int place = slot % kKvBlock;
    const int64_t block =
        slot / kKvBlock * task.kv.block_stride + int64_t{kv_head} * kKvBlock * width;
    to = is_k ? task.kv.keys + block + int64_t{place} * width : task.kv.values + block + place;
    step = is_k ? 1 : kKvBlock;
  }
  FORGE_UNROLL
  for (int i = 0; i < kPerLane; ++i) {
    const int d = lane + i * kWarpLanes;
    if (d < width) to[d * step] = static_cast<uint16_t>(Half::pack(x[i], 0.0f));
  }
}

}  // namespace forge::kernels::cuda
