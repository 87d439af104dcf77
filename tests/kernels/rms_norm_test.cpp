// Reference: the formula in long double, one naive sum.
#include "forge/kernels/rms_norm.h"

#include <gtest/gtest.h>

#include "tests/kernels/test_matrix.h"

namespace forge::kernels {
namespace {

TEST(RmsNorm, MatchesTheFormulaForEveryLength) {
  ThreadPool pool(2);
  std::vector<int64_t> lengths{576, 896, 2048, 4096};
  for (int64_t n = 1; n <= 33; ++n) lengths.push_back(n);
  for (const int64_t n : lengths) {
    TestMatrix x(5, n, 1);
    TestMatrix w(1, n, 2, 1.0f, 0);
    TestMatrix y = TestMatrix::poisoned(5, n);
    rms_norm(x.view(), {w.view().row(0), static_cast<size_t>(n)}, 1e-5f, y.view(), {&pool});
    for (int64_t r = 0; r < 5; ++r) {
      long double sum = 0;
      for (int64_t c = 0; c < n; ++c) sum += static_cast<long double>(x.at(r, c)) * x.at(r, c);
      const long double scale = 1 / std::sqrt(sum / n + static_cast<long double>(1e-5f));
      for (int64_t c = 0; c < n; ++c) {
        const auto expected = static_cast<double>(x.at(r, c) * scale * w.at(0, c));
        // One rounding to f32 (2^-24) and some 1e-15 from the double sums.
        EXPECT_NEAR(y.at(r, c), expected, std::abs(expected) * 0x1p-23)
            << n << " " << r << " " << c;
      }
    }
    EXPECT_TRUE(y.gaps_untouched());
  }
}

TEST(RmsNorm, PerHeadNormEqualsNormOfEachHead) {
  ThreadPool pool(1);
  TestMatrix x(3, 4 * 16, 3);
  TestMatrix w(1, 16, 4, 1.0f, 0);
  TestMatrix all = TestMatrix::poisoned(3, 4 * 16);
  rms_norm(x.view(), {w.view().row(0), 16}, 1e-6f, all.view(), {&pool});
  for (int64_t h = 0; h < 4; ++h) {
    TestMatrix one = TestMatrix::poisoned(3, 16);
    ActivationView head = x.view();
    head.data += h * 16;
    head.columns = 16;
    rms_norm(head, {w.view().row(0), 16}, 1e-6f, one.view(), {&pool});
    for (int64_t r = 0; r < 3; ++r) {
      for (int64_t c = 0; c < 16; ++c) EXPECT_EQ(all.at(r, h * 16 + c), one.at(r, c));
    }
  }
}

TEST(RmsNorm, InPlaceAndAnyThreadCountGiveTheSameBits) {
  ThreadPool one(1);
  ThreadPool three(3);
  TestMatrix x(40, 96, 5);
  TestMatrix w(1, 96, 6, 1.0f, 0);
  const std::span<const float> weight(w.view().row(0), 96);
  TestMatrix y = TestMatrix::poisoned(40, 96);
  rms_norm(x.view(), weight, 1e-5f, y.view(), {&one});
  rms_norm(x.view(), weight, 1e-5f, x.view(), {&three});
  EXPECT_TRUE(x.same_values(y));
}

}  // namespace
}  // namespace forge::kernels
