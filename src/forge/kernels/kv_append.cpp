#include "forge/kernels/kv_append.h"

#include <algorithm>

#include "forge/base/check.h"

namespace forge::kernels {

void kv_append(const ActivationView& k, const ActivationView& v, const PagedBatch& batch,
               const KvLayerView& cache, const Context& context) {
  FORGE_CHECK(k.columns == int64_t{cache.n_kv_heads} * cache.head_dim && v.columns == k.columns,
              "k {} v {} cache {} x {}", k.columns, v.columns, cache.n_kv_heads, cache.head_dim);
  const auto n_seqs = static_cast<int64_t>(batch.sequences.size());
  context.pool->parallel_for(n_seqs, 1, [&](int64_t begin, int64_t end) {
    for (int64_t s = begin; s < end; ++s) {
      const SequenceRows& sequence = batch.sequences[static_cast<size_t>(s)];
      const int32_t first_position = sequence.kv_len - (sequence.row_end - sequence.row_begin);
      for (int32_t t = sequence.row_begin; t < sequence.row_end; ++t) {
        const int32_t position = first_position + (t - sequence.row_begin);
        const int32_t block = sequence.block_table[static_cast<size_t>(position / kBlockLen)];
        for (int32_t h = 0; h < cache.n_kv_heads; ++h) {
          const int64_t to = cache.offset(block, h, position % kBlockLen);
          const int64_t from = int64_t{h} * cache.head_dim;
          std::copy_n(k.row(t) + from, cache.head_dim, cache.k + to);
          std::copy_n(v.row(t) + from, cache.head_dim, cache.v + to);
        }
      }
    }
  });
}

}  // namespace forge::kernels
