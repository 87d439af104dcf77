#include "forge/kernels/matmul.h"

#include "forge/base/check.h"
#include "forge/kernels/ref/matmul.h"

namespace forge::kernels {

void matmul(const ActivationView& x, const TensorView& weight, std::span<const float> bias,
            const ActivationView& y, const Context& context) {
  FORGE_CHECK(weight.columns() == x.columns && weight.rows() == y.columns && x.rows == y.rows,
              "x [{}, {}] weight {} y [{}, {}]", x.rows, x.columns, weight.shape.to_string(),
              y.rows, y.columns);
  FORGE_CHECK(bias.empty() || static_cast<int64_t>(bias.size()) == weight.rows(), "bias {}",
              bias.size());
  // 32 rows: some 10 us of work even for small models, which pays for handing it to a thread.
  context.pool->parallel_for(weight.rows(), 32, [&](int64_t begin, int64_t end) {
    ref::matmul_rows(x, weight, bias, begin, end, y);
  });
}

}  // namespace forge::kernels
