#include "forge/kernels/rms_norm.h"

#include "forge/base/check.h"
#include "forge/kernels/ref/rms_norm.h"

namespace forge::kernels {

void rms_norm(const ActivationView& x, std::span<const float> weight, float eps,
              const ActivationView& y, const Context& context) {
  const auto group = static_cast<int64_t>(weight.size());
  FORGE_CHECK(group > 0 && x.columns % group == 0, "columns {} group {}", x.columns, group);
  FORGE_CHECK(x.rows == y.rows && x.columns == y.columns, "x [{}, {}] y [{}, {}]", x.rows,
              x.columns, y.rows, y.columns);
  context.pool->parallel_for(x.rows, 8, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      for (int64_t c = 0; c < x.columns; c += group) {
        ref::rms_norm(x.row(t) + c, weight.data(), group, eps, y.row(t) + c);
      }
    }
  });
}

}  // namespace forge::kernels
