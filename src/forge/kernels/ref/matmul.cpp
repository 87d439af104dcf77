#include "forge/kernels/ref/matmul.h"

#include <vector>

#include "forge/kernels/ref/dot.h"
#include "forge/tensor/decode.h"

namespace forge::kernels::ref {

void matmul_rows(const ActivationView& x, const TensorView& weight, std::span<const float> bias,
                 int64_t begin, int64_t end, const ActivationView& y) {
  // One decoded row per thread, kept between calls.
  thread_local std::vector<float> row;
  row.resize(static_cast<size_t>(weight.columns()));
  for (int64_t n = begin; n < end; ++n) {
    decode_row(weight, n, row.data());
    const double offset = bias.empty() ? 0.0 : static_cast<double>(bias[static_cast<size_t>(n)]);
    for (int64_t t = 0; t < x.rows; ++t) {
      y.row(t)[n] = static_cast<float>(dot(x.row(t), row.data(), x.columns) + offset);
    }
  }
}

}  // namespace forge::kernels::ref
