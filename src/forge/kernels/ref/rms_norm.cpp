#include "forge/kernels/ref/rms_norm.h"

#include <cmath>

#include "forge/kernels/ref/dot.h"

namespace forge::kernels::ref {

void rms_norm(const float* x, const float* weight, int64_t n, float eps, float* y) {
  const double mean = dot(x, x, n) / static_cast<double>(n);
  const double scale = 1.0 / std::sqrt(mean + static_cast<double>(eps));
  for (int64_t i = 0; i < n; ++i) {
    y[i] = static_cast<float>(static_cast<double>(x[i]) * scale * static_cast<double>(weight[i]));
  }
}

}  // namespace forge::kernels::ref
