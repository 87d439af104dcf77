// Reference: the published formulas in long double; values of PyTorch 2.13 at a few points.
#include "forge/kernels/gated_activation.h"

#include <gtest/gtest.h>

#include "forge/kernels/residual_add.h"
#include "tests/kernels/test_matrix.h"

namespace forge::kernels {
namespace {

float activate(float x, GateFunction function) {
  ThreadPool pool(1);
  float up = 1.0f;
  const ActivationView gate_view{.data = &x, .rows = 1, .columns = 1, .row_stride = 1};
  const ActivationView up_view{.data = &up, .rows = 1, .columns = 1, .row_stride = 1};
  gated_activation(gate_view, up_view, function, {&pool});
  return x;
}

TEST(GatedActivation, MatchesTheFormulas) {
  ThreadPool pool(2);
  TestMatrix gate(9, 131, 61, 3.0f);
  TestMatrix up(9, 131, 62, 2.0f);
  TestMatrix silu = gate;
  TestMatrix gelu = gate;
  gated_activation(silu.view(), up.view(), GateFunction::kSilu, {&pool});
  gated_activation(gelu.view(), up.view(), GateFunction::kGeluTanh, {&pool});
  for (int64_t r = 0; r < 9; ++r) {
    for (int64_t c = 0; c < 131; ++c) {
      const long double x = gate.at(r, c);
      const long double u = up.at(r, c);
      const long double s = x / (1 + std::exp(-x)) * u;
      const long double inner = std::sqrt(2 / std::acos(-1.0L)) * (x + 0.044715L * x * x * x);
      const long double g = x / 2 * (1 + std::tanh(inner)) * u;
      EXPECT_NEAR(silu.at(r, c), static_cast<double>(s),
                  std::abs(static_cast<double>(s)) * 0x1p-23);
      // 1 + tanh cancels for negative x: an absolute bound of double's rounding stands in there.
      EXPECT_NEAR(gelu.at(r, c), static_cast<double>(g),
                  std::abs(static_cast<double>(g)) * 0x1p-23 + 1e-14);
    }
  }
  EXPECT_TRUE(silu.gaps_untouched());
}

TEST(GatedActivation, IsFiniteFarOut) {
  EXPECT_EQ(activate(-1000.0f, GateFunction::kSilu), 0.0f);
  EXPECT_EQ(activate(1000.0f, GateFunction::kSilu), 1000.0f);
  EXPECT_EQ(activate(-1000.0f, GateFunction::kGeluTanh), 0.0f);
  EXPECT_EQ(activate(1000.0f, GateFunction::kGeluTanh), 1000.0f);
  EXPECT_EQ(activate(0.0f, GateFunction::kSilu), 0.0f);
}

TEST(ResidualAdd, AddsInPlace) {
  ThreadPool pool(2);
  TestMatrix x(40, 33, 71);
  TestMatrix y(40, 33, 72);
  TestMatrix sum = y;
  residual_add(x.view(), sum.view(), {&pool});
  for (int64_t r = 0; r < 40; ++r) {
    for (int64_t c = 0; c < 33; ++c) EXPECT_EQ(sum.at(r, c), x.at(r, c) + y.at(r, c));
  }
  EXPECT_TRUE(sum.gaps_untouched());
}

}  // namespace
}  // namespace forge::kernels
