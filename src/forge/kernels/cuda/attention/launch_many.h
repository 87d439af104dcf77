// Queues attention_many for one type of cache and of products: the files that are one
// translation for each.
#pragma once

#include "forge/kernels/cuda/attention/dispatch.h"
#include "forge/kernels/cuda/attention/many.h"
#include "forge/kernels/cuda/runtime/launch.h"

namespace forge::kernels::cuda {

template <typename Product, KvType Type>
Status launch_many(Stream& stream, const AttentionTask& task) {
  const int32_t n_rows = task.max_rows * (task.heads.n_heads / task.heads.n_kv_heads);
  return with_head_dim<Type>(task.heads.head_dim, [&]<KvType, int HeadDim>() {
    return launch(stream,
                  {.name = "attention_many",
                   .grid = {(n_rows + many_rows(HeadDim) - 1) / many_rows(HeadDim),
                            task.heads.n_kv_heads, task.n_sequences},
                   .n_threads = many_threads(HeadDim),
                   .shared_bytes = many_attention_shared_bytes(Type, Product::kType, HeadDim)},
                  attention_many<Product, Type, HeadDim>, task);
  });
}

}  // namespace forge::kernels::cuda
