// exp and exp2 of every ISA level this machine runs, against the C library's in float64.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "forge/kernels/cpu/levels.h"

namespace forge::kernels::cpu {
namespace {

/// In units of the last place of `expected` as f32; those of subnormals are 2^-149.
double ulps(float got, double expected) {
  const int exponent = std::max(std::ilogb(expected), -126);
  return std::fabs(got - expected) / std::ldexp(1.0, exponent - 23);
}

/// About n floats of [-limit, -0] evenly over their bit patterns, and as many evenly over values.
std::vector<float> negative_floats(float limit, uint32_t n) {
  std::vector<float> x;
  const uint32_t last = std::bit_cast<uint32_t>(limit);
  for (uint32_t bits = 0; bits <= last; bits += last / n) x.push_back(-std::bit_cast<float>(bits));
  for (uint32_t i = 0; i <= n; ++i) {
    x.push_back(-limit * static_cast<float>(i) / static_cast<float>(n));
  }
  return x;
}

double worst(void (*function)(const float*, int64_t, float*), double (*expected)(double),
             const std::vector<float>& x) {
  std::vector<float> y(x.size());
  function(x.data(), static_cast<int64_t>(x.size()), y.data());
  double most = 0.0;
  for (size_t i = 0; i < x.size(); ++i) most = std::max(most, ulps(y[i], expected(x[i])));
  return most;
}

TEST(CpuExp, is_within_two_ulp) {
  const std::vector<float> x = negative_floats(88.0f, 200'001);
  const std::vector<float> x2 = negative_floats(126.0f, 200'001);
  for (const IsaLevel level : built_levels()) {
    if (!is_supported(level)) continue;
    const KernelTable& table = kernels_of(level);
    const double e = worst(
        table.exp, [](double v) { return std::exp(v); }, x);
    const double e2 = worst(
        table.exp2, [](double v) { return std::exp2(v); }, x2);
    EXPECT_LE(e, 2.0) << name(level);
    EXPECT_LE(e2, 2.0) << name(level);
    RecordProperty(std::string(name(level)) + "_exp_ulp", std::to_string(e));
    RecordProperty(std::string(name(level)) + "_exp2_ulp", std::to_string(e2));
  }
}

TEST(CpuExp, knows_exact_values_ends_and_tails) {
  for (const IsaLevel level : built_levels()) {
    if (!is_supported(level)) continue;
    const KernelTable& table = kernels_of(level);
    for (const int64_t n : {1, 3, 15, 16, 17, 33}) {
      std::vector<float> x(static_cast<size_t>(n), 0.0f);
      std::vector<float> y(static_cast<size_t>(n) + 1, 7.0f);
      table.exp(x.data(), n, y.data());
      for (int64_t i = 0; i < n; ++i) EXPECT_EQ(y[static_cast<size_t>(i)], 1.0f) << name(level);
      EXPECT_EQ(y.back(), 7.0f) << name(level) << " wrote past " << n;
      for (float& v : x) v = -10.0f;
      table.exp2(x.data(), n, x.data());
      for (const float v : x) EXPECT_EQ(v, 0x1p-10f) << name(level);
    }
    float ends[] = {-1e30f, 1e30f, -126.0f, 127.0f};
    table.exp2(ends, 4, ends);
    EXPECT_EQ(ends[0], 0x1p-126f);
    EXPECT_EQ(ends[1], 0x1p127f);
    EXPECT_EQ(ends[2], 0x1p-126f);
    EXPECT_EQ(ends[3], 0x1p127f);
    float far[] = {-1e30f, 1e30f};
    table.exp(far, 2, far);
    EXPECT_LT(far[0], 0x1p-147f);
    EXPECT_TRUE(std::isfinite(far[1]));
  }
}

}  // namespace
}  // namespace forge::kernels::cpu
