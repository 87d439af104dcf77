#include "forge/kernels/attention.h"

#include "forge/base/check.h"
#include "forge/kernels/ref/attention.h"
#include "forge/kernels/ref/rope.h"

namespace forge::kernels {

void attention(const ActivationView& q, const PagedBatch& batch, const KvLayerView& cache,
               const AttentionSpec& spec, const ActivationView& out, const Context& context) {
  FORGE_CHECK(q.columns == int64_t{spec.n_heads} * cache.head_dim && out.columns == q.columns &&
                  spec.n_heads % cache.n_kv_heads == 0,
              "q {} heads {} kv {} x {}", q.columns, spec.n_heads, cache.n_kv_heads,
              cache.head_dim);
  FORGE_CHECK(cache.head_dim <= ref::kMaxHeadDim, "head_dim {}", cache.head_dim);
  for (const SequenceRows& sequence : batch.sequences) {
    const int64_t n_rows = sequence.row_end - sequence.row_begin;
    // One item per (token, head).
    context.pool->parallel_for(n_rows * spec.n_heads, 4, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        const int64_t t = sequence.row_begin + item / spec.n_heads;
        const auto h = static_cast<int32_t>(item % spec.n_heads);
        const auto position =
            static_cast<int32_t>(sequence.kv_len - n_rows + (t - sequence.row_begin));
        const int64_t column = int64_t{h} * cache.head_dim;
        ref::attend(q.row(t) + column, position, h / (spec.n_heads / cache.n_kv_heads), sequence,
                    cache, spec, out.row(t) + column);
      }
    });
  }
}

}  // namespace forge::kernels
