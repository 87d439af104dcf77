// Between the QKV product and attention: queries into the type of products, keys and values into
// the cache.
//
// A warp per token and head of q, k or v.  grid: (n_tokens * (n_heads + 2 n_kv_heads)) / warps
#pragma once

#include "forge/kernels/cuda/attention/append.h"

namespace forge::kernels::cuda {

inline constexpr int kRopeThreads = 128;

/// Turned queries are rounded as the cache's numbers are.
template <typename Product, int HeadDim>
FORGE_DEVICE void store_query(const HeadRow<HeadDim>& row, Element<Product>* to, int lane) {
  FORGE_UNROLL
  for (int i = 0; i < row.kPerLane; ++i) {
    to[lane + i * kWarpLanes] = to_element<Product>(row.x[i]);
  }
}

template <typename Product, KvType Type, int HeadDim>
FORGE_KERNEL(kRopeThreads, 1)
rope_append_rows(RopeAppendTask task) {
  let_successor_start();
  wait_for_predecessor();
  const HeadShape& heads = task.heads;
  const int lane = lane_index();
  const int n_parts = heads.n_heads + 2 * heads.n_kv_heads;
  const int item = block_x() * (kRopeThreads / kWarpLanes) + warp_index();
  const int token = item / n_parts;
  const int head = item % n_parts;
  if (token >= task.n_tokens) return;
  const int position = task.positions[token];
  if (position < 0) return;
  if (head < heads.n_heads) {
    const HeadRow<HeadDim> row =
        load_head<HeadDim>(heads, task.rows, token, position, QkvPart::kQuery, head, lane);
    auto* q = static_cast<Element<Product>*>(task.q);
    store_query<Product>(row, q + (int64_t{token} * heads.n_heads + head) * HeadDim, lane);
    return;
  }
  const int32_t* block_table = task.block_tables + task.first_blocks[token];
  const bool is_key = head < heads.n_heads + heads.n_kv_heads;
  append_head<Product, Type, HeadDim>(heads, task.rows, task.kv, block_table, token, position,
                                      is_key ? QkvPart::kKey : QkvPart::kValue,
                                      (head - heads.n_heads) % heads.n_kv_heads, lane);
}

}  // namespace forge::kernels::cuda
