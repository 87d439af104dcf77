#include "forge/kernels/rope.h"

#include "forge/base/check.h"
#include "forge/kernels/ref/rope.h"

namespace forge::kernels {

void rope_angles(int32_t position, std::span<const float> inv_freq, float scale, float* cosines,
                 float* sines) {
  ref::rope_angles(position, inv_freq, scale, cosines, sines);
}

void rope(const ActivationView& x, int32_t head_dim, RopePairs pairs, const ActivationView& cosines,
          const ActivationView& sines, const Context& context) {
  const int64_t half = cosines.columns;
  FORGE_CHECK(x.columns % head_dim == 0 && 2 * half <= head_dim, "columns {} head_dim {} half {}",
              x.columns, head_dim, half);
  FORGE_CHECK(cosines.rows >= x.rows && sines.rows >= x.rows && sines.columns == half,
              "rows {} angles [{}, {}]", x.rows, cosines.rows, half);
  FORGE_CHECK(head_dim <= ref::kMaxHeadDim, "head_dim {}", head_dim);
  context.pool->parallel_for(x.rows, 8, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      for (int64_t c = 0; c < x.columns; c += head_dim) {
        ref::rope_head(x.row(t) + c, pairs, cosines.row(t), sines.row(t), half);
      }
    }
  });
}

}  // namespace forge::kernels
