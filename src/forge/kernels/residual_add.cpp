#include "forge/kernels/residual_add.h"

#include "forge/base/check.h"

namespace forge::kernels {

void residual_add(const ActivationView& x, const ActivationView& y, const Context& context) {
  FORGE_CHECK(x.rows == y.rows && x.columns == y.columns, "x [{}, {}] y [{}, {}]", x.rows,
              x.columns, y.rows, y.columns);
  context.pool->parallel_for(x.rows, 16, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      for (int64_t i = 0; i < x.columns; ++i) y.row(t)[i] += x.row(t)[i];
    }
  });
}

}  // namespace forge::kernels
