// Trusts IEEE 754 by its definition, in doubles: the value of a half is a sum of powers of two, and
// rounding takes the nearest half, the even one of two.
#include "forge/base/float16.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>
#include <vector>

namespace forge {
namespace {

double value_of_half(uint16_t h) {
  const int exponent = (h >> 10) & 31;
  const int mantissa = h & 1023;
  const double magnitude =
      exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
  return (h & 0x8000) != 0 ? -magnitude : magnitude;
}

bool is_nan_half(uint16_t h) { return (h & 0x7FFF) > 0x7C00; }

TEST(Float16, EveryHalfDecodes) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const auto h = static_cast<uint16_t>(bits);
    const float f = f16_to_f32(h);
    if (is_nan_half(h)) {
      EXPECT_TRUE(std::isnan(f));
      EXPECT_EQ((std::bit_cast<uint32_t>(f) >> 13) & 1023, h & 1023u) << "payload of " << bits;
    } else if ((h & 0x7FFF) == 0x7C00) {
      EXPECT_TRUE(std::isinf(f));
    } else {
      EXPECT_EQ(static_cast<double>(f), value_of_half(h)) << bits;
    }
    EXPECT_EQ(std::signbit(f), (h & 0x8000) != 0) << bits;
  }
}

TEST(Float16, EveryHalfComesBack) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const auto h = static_cast<uint16_t>(bits);
    const uint16_t back = f32_to_f16(f16_to_f32(h));
    if (is_nan_half(h)) {
      EXPECT_EQ(back, h | 0x200) << "a NaN becomes quiet and keeps its payload";
    } else {
      EXPECT_EQ(back, h);
    }
  }
}

// Between two neighbouring halves: the midpoint goes to the even one, the floats beside it to the
// nearer one. As rounding is monotonic this determines it everywhere.
TEST(Float16, EveryMidpointAndItsNeighbours) {
  for (uint16_t h = 0; h < 0x7C00; ++h) {
    const auto above = static_cast<uint16_t>(h + 1);
    // The half after 65504 would be 65536; from its midpoint 65520 on, values round to infinity.
    const double next = above == 0x7C00 ? 65536.0 : value_of_half(above);
    const auto middle = static_cast<float>((value_of_half(h) + next) / 2.0);
    const uint16_t even = h % 2 == 0 ? h : above;
    for (const int sign : {0x0000, 0x8000}) {
      const float m = sign == 0 ? middle : -middle;
      EXPECT_EQ(f32_to_f16(m), even | sign) << h;
      EXPECT_EQ(f32_to_f16(std::nextafter(m, 0.0f)), h | sign) << h;
      EXPECT_EQ(f32_to_f16(std::nextafter(m, 2.0f * m)), above | sign) << h;
    }
  }
}

TEST(Float16, RandomFloatsGoToTheNearest) {
  std::vector<double> halves;
  for (uint16_t h = 0; h < 0x7C00; ++h) halves.push_back(value_of_half(h));
  std::mt19937 rng(1);
  for (int i = 0; i < 500000; ++i) {
    // Exponents from below the smallest subnormal to just above the largest half.
    const auto bits = static_cast<uint32_t>((rng() & 0x007FFFFFu) | ((90 + rng() % 54) << 23));
    const auto f = std::bit_cast<float>(bits);
    if (f >= 65520.0f) {
      ASSERT_EQ(f32_to_f16(f), 0x7C00);
      continue;
    }
    const auto above = std::lower_bound(halves.begin(), halves.end(), static_cast<double>(f));
    double nearest = above == halves.end() ? halves.back() : *above;
    if (above != halves.begin() && f - *(above - 1) < nearest - f) nearest = *(above - 1);
    const double got = value_of_half(f32_to_f16(f));
    ASSERT_EQ(std::fabs(got - f), std::fabs(nearest - f)) << f;
  }
}

TEST(Float16, BeyondTheRange) {
  EXPECT_EQ(f32_to_f16(65504.0f), 0x7BFF);
  EXPECT_EQ(f32_to_f16(65519.996f), 0x7BFF);
  EXPECT_EQ(f32_to_f16(65520.0f), 0x7C00);
  EXPECT_EQ(f32_to_f16(-1e30f), 0xFC00);
  EXPECT_EQ(f32_to_f16(INFINITY), 0x7C00);
  EXPECT_EQ(f32_to_f16(0x1p-25f), 0x0000) << "halfway to the smallest subnormal, to even";
  EXPECT_EQ(f32_to_f16(std::nextafter(0x1p-25f, 1.0f)), 0x0001);
  EXPECT_EQ(f32_to_f16(-1e-45f), 0x8000);
  EXPECT_EQ(f32_to_f16(-0.0f), 0x8000);
  EXPECT_TRUE(is_nan_half(f32_to_f16(NAN)));
  // A NaN whose payload lies in the bits that a half does not have must not become infinity.
  EXPECT_TRUE(is_nan_half(f32_to_f16(std::bit_cast<float>(0x7F800001u))));
}

TEST(BFloat16, EveryValueComesBack) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const auto b = static_cast<uint16_t>(bits);
    const float f = bf16_to_f32(b);
    EXPECT_EQ(std::bit_cast<uint32_t>(f), bits << 16);
    EXPECT_EQ(f32_to_bf16(f), std::isnan(f) ? (b | 0x40) : b);
  }
}

TEST(BFloat16, EveryMidpointAndItsNeighbours) {
  for (uint32_t b = 0; b < 0x7F80; ++b) {
    const float middle = std::bit_cast<float>((b << 16) | 0x8000u);
    EXPECT_EQ(f32_to_bf16(middle), b % 2 == 0 ? b : b + 1) << b;
    EXPECT_EQ(f32_to_bf16(std::bit_cast<float>((b << 16) | 0x7FFFu)), b);
    EXPECT_EQ(f32_to_bf16(std::bit_cast<float>((b << 16) | 0x8001u)), b + 1);
    EXPECT_EQ(f32_to_bf16(-middle), (b % 2 == 0 ? b : b + 1) | 0x8000u);
  }
  EXPECT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(std::bit_cast<float>(0x7F800001u)))));
  EXPECT_EQ(f32_to_bf16(-INFINITY), 0xFF80);
}

}  // namespace
}  // namespace forge
