// Trusts the definitions of the types: error bounds follow from the step of each type's codes.
#include "forge/tensor/encode.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "forge/tensor/decode.h"

namespace forge {
namespace {

std::vector<std::byte> encoded(DType dtype, const std::vector<float>& values) {
  const auto n = static_cast<int64_t>(values.size());
  std::vector<std::byte> blocks(static_cast<size_t>(row_bytes(dtype, n).value()), std::byte{0xAA});
  encode(dtype, values.data(), n, blocks.data());
  return blocks;
}

std::vector<float> round_trip(DType dtype, const std::vector<float>& values) {
  std::vector<float> out(values.size(), NAN);
  const auto blocks = encoded(dtype, values);
  decode(dtype, blocks.data(), static_cast<int64_t>(values.size()), out.data());
  return out;
}

std::vector<float> gaussian(size_t n, float sigma, uint32_t seed) {
  std::mt19937 rng(seed);
  std::normal_distribution<float> distribution(0.0f, sigma);
  std::vector<float> values(n);
  for (float& v : values) v = distribution(rng);
  return values;
}

double norm(const std::vector<float>& a) {
  double sum = 0.0;
  for (const float v : a) sum += static_cast<double>(v) * v;
  return std::sqrt(sum);
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0.0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double e = static_cast<double>(a[i]) - b[i];
    sum += e * e;
  }
  return std::sqrt(sum);
}

// Steps between codes as a share of the block's range (affine) or twice its peak (symmetric).
struct Resolution {
  DType dtype;
  bool is_affine;
  int steps;
};
constexpr Resolution kResolutions[] = {
    {DType::kQ4_0, false, 15}, {DType::kQ4_1, true, 15},   {DType::kQ5_0, false, 31},
    {DType::kQ5_1, true, 31},  {DType::kQ8_0, false, 254}, {DType::kQ2_K, true, 3},
    {DType::kQ3_K, false, 7},  {DType::kQ4_K, true, 15},   {DType::kQ5_K, true, 31},
    {DType::kQ6_K, false, 63}, {DType::kQ8_K, false, 254},
};

bool is_searched(DType dtype) { return dtype >= DType::kQ2_K && dtype != DType::kQ8_K; }

TEST(Encode, EveryType) {
  for (const DTypeInfo& type : all_dtypes()) EXPECT_TRUE(can_encode(type.dtype)) << type.name;
}

// Uniform values: the error of codes with step s is at least s / sqrt(12) (half of it on average
// over smaller sub-block ranges), and a fair encoder is not far above: its step comes from the
// range.
TEST(Encode, UniformErrorFollowsFromTheStep) {
  std::mt19937 rng(3);
  std::uniform_real_distribution<float> distribution(-1.0f, 1.0f);
  std::vector<float> values(256 * 64);
  for (float& v : values) v = distribution(rng);
  for (const Resolution& r : kResolutions) {
    const double step = 2.0 / r.steps;
    const double rmse = distance(values, round_trip(r.dtype, values)) /
                        std::sqrt(static_cast<double>(values.size()));
    EXPECT_LT(rmse, 1.10 * step / std::sqrt(12.0)) << name(r.dtype);
    EXPECT_GT(rmse, 0.60 * step / std::sqrt(12.0)) << name(r.dtype) << ": too good to be true";
  }
}

TEST(Encode, ZerosStayZero) {
  for (const DTypeInfo& type : all_dtypes()) {
    std::vector<float> values(512, 0.0f);
    for (size_t i = 0; i < values.size(); i += 3) values[i] = -0.0f;
    for (const float v : round_trip(type.dtype, values)) ASSERT_EQ(v, 0.0f) << type.name;
  }
}

// Every byte of a block is written: the result does not depend on what was there before, nor on the
// blocks beside it.
TEST(Encode, BlocksAreIndependentAndComplete) {
  for (const DTypeInfo& type : all_dtypes()) {
    const auto values = gaussian(static_cast<size_t>(type.block_len) * 5, 1.0f, 11);
    const auto whole = encoded(type.dtype, values);
    for (int b = 0; b < 5; ++b) {
      std::vector<std::byte> block(static_cast<size_t>(type.block_bytes) + 1, std::byte{0x55});
      encode(type.dtype, values.data() + b * type.block_len, type.block_len, block.data());
      EXPECT_TRUE(std::equal(block.begin(), block.end() - 1, whole.begin() + b * type.block_bytes))
          << type.name << " block " << b;
      EXPECT_EQ(block.back(), std::byte{0x55}) << type.name << " writes past its block";
    }
  }
}

// Powers of two change only exponents, as long as the stored halves stay normal.
TEST(Encode, ScalesWithPowersOfTwo) {
  for (const DTypeInfo& type : all_dtypes()) {
    const auto values = gaussian(512, 1.0f, 5);
    const auto decoded = round_trip(type.dtype, values);
    for (const int k : {-2, 1, 9}) {
      auto scaled = values;
      for (float& v : scaled) v = std::ldexp(v, k);
      const auto result = round_trip(type.dtype, scaled);
      for (size_t i = 0; i < values.size(); ++i) {
        ASSERT_EQ(result[i], std::ldexp(decoded[i], k)) << type.name << " 2^" << k << " at " << i;
      }
    }
  }
}

// A constant block is the sum of one rounded scale (11 bits), in K-quants times one of 4 or 6 bits
// that d can make exact for the largest: no more than a few thousandths off.
TEST(Encode, ConstantBlocks) {
  for (const DTypeInfo& type : all_dtypes()) {
    for (const float c : {1.0f, -1.0f, 0.375f, -1.5f, 1234.5f, -0.3f}) {
      const std::vector<float> values(512, c);
      const bool is_fp4 = type.dtype == DType::kMXFP4;  // nearest of eight magnitudes
      for (const float v : round_trip(type.dtype, values)) {
        ASSERT_NEAR(v, c, std::fabs(c) * (is_fp4 ? 0.2f : 0.006f)) << type.name << " " << c;
      }
    }
  }
}

// Sub-blocks that each are constant but differ, positive and negative: mins need both signs.
TEST(Encode, BlocksFarFromZero) {
  for (const DType dtype : {DType::kQ2_K, DType::kQ4_K, DType::kQ5_K}) {
    for (const float centre : {10.0f, -10.0f}) {
      auto values = gaussian(512, 0.5f, 17);
      for (float& v : values) v += centre;
      const double rmse = distance(values, round_trip(dtype, values)) / std::sqrt(512.0);
      // Without the offset the step would be about 12 / 3; with it about 3 / 3, and less.
      const double limit = dtype == DType::kQ2_K ? 0.35 : dtype == DType::kQ4_K ? 0.09 : 0.08;
      EXPECT_LT(rmse, limit) << name(dtype) << " around " << centre;
    }
  }
}

// From denormals to the largest float, alone and mixed: never non-finite, never worse than storing
// zeros. The formats whose bytes are ggml's round a scale or offset below 2^-24 to a half and keep
// their codes: up to 32 * 2^-25 per element.
TEST(Encode, ExtremeMagnitudes) {
  constexpr float kMax = std::numeric_limits<float>::max();
  for (const DTypeInfo& type : all_dtypes()) {
    if (type.dtype == DType::kF16 || type.dtype == DType::kBF16) continue;  // IEEE rounding to inf
    for (int exponent = -149; exponent <= 127; ++exponent) {
      auto values = gaussian(512, 0.3f, static_cast<uint32_t>(exponent + 200));
      for (float& v : values) v = std::ldexp(std::clamp(v, -1.0f, 1.0f), exponent);
      if (exponent == 127) values[3] = kMax, values[300] = -kMax;
      if (exponent % 5 == 0) values[40] = 1.0f;
      const auto decoded = round_trip(type.dtype, values);
      for (const float v : decoded) ASSERT_TRUE(std::isfinite(v)) << type.name << " 2^" << exponent;
      const double rounding = is_searched(type.dtype) ? 0.0 : 0x1p-20 * std::sqrt(512.0);
      ASSERT_LE(distance(values, decoded), norm(values) + rounding)
          << type.name << " 2^" << exponent;
    }
  }
}

// Scales too large for a half saturate: the sign and the order survive.
TEST(Encode, SaturationKeepsSigns) {
  for (const Resolution& r : kResolutions) {
    std::vector<float> values(256);
    for (size_t i = 0; i < values.size(); ++i) values[i] = i % 2 == 0 ? 1e30f : -1e30f;
    const auto decoded = round_trip(r.dtype, values);
    for (size_t i = 0; i < values.size(); ++i) {
      ASSERT_GT(std::fabs(decoded[i]), 60000.0f) << name(r.dtype);
      ASSERT_EQ(std::signbit(decoded[i]), std::signbit(values[i])) << name(r.dtype);
    }
  }
}

// A caller's mistake must not be undefined behaviour (checked by UBSan builds).
TEST(Encode, NonFiniteValuesAreSurvived) {
  for (const DTypeInfo& type : all_dtypes()) {
    for (const float bad : {NAN, INFINITY, -INFINITY}) {
      for (const size_t at : {size_t{0}, size_t{37}, size_t{255}}) {
        auto values = gaussian(256, 1.0f, 23);
        values[at] = bad;
        (void)round_trip(type.dtype, values);
      }
      (void)round_trip(type.dtype, std::vector<float>(256, bad));
    }
  }
}

TEST(EncodeDeathTest, PartOfABlock) {
  const float values[255]{};
  std::byte out[144];
  EXPECT_DEATH(encode(DType::kQ4_K, values, 255, out), "255 of Q4_K");
}

}  // namespace
}  // namespace forge
