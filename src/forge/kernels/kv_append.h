// Writing a step's keys and values into the paged cache.
#pragma once

#include "forge/kernels/context.h"
#include "forge/tensor/paged_batch.h"
#include "forge/tensor/view.h"

namespace forge::kernels {

/// Stores row t of k and v at that token's position in its sequence's blocks.
///
/// k, v: (n_tokens, n_kv_heads * head_dim).   cache: one layer. Positions already in the cache are
/// overwritten.
void kv_append(const ActivationView& k, const ActivationView& v, const PagedBatch& batch,
               const KvLayerView& cache, const Context& context);

}  // namespace forge::kernels
