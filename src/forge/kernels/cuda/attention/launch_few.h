// Queues attention_few for one type of cache and of products: the files that are one
// translation for each.
#pragma once

#include "forge/kernels/cuda/attention/dispatch.h"
#include "forge/kernels/cuda/attention/few.h"
#include "forge/kernels/cuda/runtime/launch.h"

namespace forge::kernels::cuda {

template <typename Product, KvType Type>
Status launch_few(Stream& stream, const AttentionTask& task, FewShape shape, int32_t splits) {
  return with_head_dim<Type>(task.heads.head_dim, [&]<KvType, int HeadDim>() {
    return launch(stream,
                  {.name = "attention_few",
                   .grid = {task.n_sequences * shape.row_groups, task.heads.n_kv_heads, splits},
                   .n_threads = kFewThreads,
                   .shared_bytes = few_attention_shared_bytes(HeadDim, Product::kType, shape.n_rows,
                                                              task.q == nullptr)},
                  attention_few<Product, Type, HeadDim>, task, shape);
  });
}

}  // namespace forge::kernels::cuda
