#include "forge/kernels/ref/gated_activation.h"

#include <cmath>
#include <numbers>

namespace forge::kernels::ref {
namespace {

double silu(double x) { return x / (1.0 + std::exp(-x)); }

double gelu_tanh(double x) {
  const double scale = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;  // sqrt(2 / pi)
  return 0.5 * x * (1.0 + std::tanh(scale * (x + 0.044715 * x * x * x)));
}

}  // namespace

void gated_activation(float* gate, const float* up, int64_t n, GateFunction function) {
  for (int64_t i = 0; i < n; ++i) {
    const double g = gate[i];
    const double activated = function == GateFunction::kSilu ? silu(g) : gelu_tanh(g);
    gate[i] = static_cast<float>(activated * static_cast<double>(up[i]));
  }
}

}  // namespace forge::kernels::ref
