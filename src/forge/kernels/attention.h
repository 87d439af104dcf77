// Causal attention over the paged cache.
#pragma once

#include <cstdint>

#include "forge/kernels/context.h"
#include "forge/tensor/paged_batch.h"
#include "forge/tensor/view.h"

namespace forge::kernels {

struct AttentionSpec {
  int32_t n_heads = 0;
  int32_t sliding_window = 0;  // tokens a query sees, itself included; 0 = all before it
  float scale = 0.0f;          // on q k; 1 / sqrt(head_dim)
};

/// out[t, h] = softmax(scale * q[t, h] K^T) V over the cached tokens of t's sequence at positions
/// (p - sliding_window, p], p being t's own; query head h reads KV head h / (n_heads / n_kv_heads).
///
/// q, out: (n_tokens, n_heads * head_dim); out may be q.   cache: one layer, this step's rows
/// already appended. Sums in double over ascending positions: a row has the same bits however its
/// prompt was cut and whatever else is in the batch. Source: Vaswani et al. 2017, arXiv:1706.03762;
/// GQA: Ainslie et al. 2023, arXiv:2305.13245.
void attention(const ActivationView& q, const PagedBatch& batch, const KvLayerView& cache,
               const AttentionSpec& spec, const ActivationView& out, const Context& context);

}  // namespace forge::kernels
