// Reference: multiplication by a complex number of modulus 1, in long double.
#include "forge/kernels/rope.h"

#include <gtest/gtest.h>

#include <complex>

#include "tests/kernels/test_matrix.h"

namespace forge::kernels {
namespace {

std::vector<float> frequencies(int64_t half) {
  std::vector<float> inv_freq;
  for (int64_t i = 0; i < half; ++i) {
    inv_freq.push_back(
        static_cast<float>(std::pow(10000.0, -static_cast<double>(i) / static_cast<double>(half))));
  }
  return inv_freq;
}

TEST(Rope, RotatesPairsOfEveryHeadAndLeavesTheRest) {
  ThreadPool pool(2);
  for (const int32_t head_dim : {2, 8, 64, 96, 128}) {
    for (const int64_t half : {int64_t{1}, int64_t{head_dim / 4}, int64_t{head_dim / 2}}) {
      if (half == 0) continue;
      const std::vector<float> inv_freq = frequencies(half);
      const int64_t n_tokens = 9;
      TestMatrix cosines = TestMatrix::poisoned(n_tokens, half);
      TestMatrix sines = TestMatrix::poisoned(n_tokens, half);
      for (int64_t t = 0; t < n_tokens; ++t) {
        rope_angles(static_cast<int32_t>(t * 37), inv_freq, 1.25f, cosines.view().row(t),
                    sines.view().row(t));
      }
      TestMatrix x(n_tokens, 3 * head_dim, 41);
      TestMatrix y = x;
      rope(y.view(), head_dim, RopePairs::kHalves, cosines.view(), sines.view(), {&pool});
      for (int64_t t = 0; t < n_tokens; ++t) {
        for (int64_t h = 0; h < 3; ++h) {
          const int64_t first = h * head_dim;
          for (int64_t i = 0; i < half; ++i) {
            const float angle = static_cast<float>(t * 37) * inv_freq[static_cast<size_t>(i)];
            const std::complex<long double> turned =
                std::complex<long double>(x.at(t, first + i), x.at(t, first + i + half)) *
                std::polar(1.25L, static_cast<long double>(angle));
            // cos, sin and the result are each rounded to f32 once.
            const auto tolerance = static_cast<double>(4e-7L * std::abs(turned));
            EXPECT_NEAR(y.at(t, first + i), static_cast<double>(turned.real()), tolerance);
            EXPECT_NEAR(y.at(t, first + i + half), static_cast<double>(turned.imag()), tolerance);
          }
          for (int64_t i = 2 * half; i < head_dim; ++i) {
            EXPECT_EQ(y.at(t, first + i), x.at(t, first + i));
          }
        }
      }
      EXPECT_TRUE(y.gaps_untouched());
    }
  }
}

TEST(Rope, AdjacentPairsGiveTheBitsOfHalves) {
  ThreadPool pool(1);
  const int64_t half = 16;
  TestMatrix cosines = TestMatrix::poisoned(1, half);
  TestMatrix sines = TestMatrix::poisoned(1, half);
  rope_angles(123, frequencies(half), 1.0f, cosines.view().row(0), sines.view().row(0));
  TestMatrix halves(1, 2 * half, 51);
  TestMatrix adjacent = TestMatrix::poisoned(1, 2 * half);
  for (int64_t i = 0; i < half; ++i) {
    adjacent.view().data[2 * i] = halves.at(0, i);
    adjacent.view().data[2 * i + 1] = halves.at(0, i + half);
  }
  rope(halves.view(), 2 * half, RopePairs::kHalves, cosines.view(), sines.view(), {&pool});
  rope(adjacent.view(), 2 * half, RopePairs::kAdjacent, cosines.view(), sines.view(), {&pool});
  EXPECT_TRUE(halves.same_values(adjacent));
}

}  // namespace
}  // namespace forge::kernels
