// Trusts IEEE 754 and the OCP formats by hand, and for layouts a checksum taken from the version
// whose output equalled ggml's goldens bit for bit (quant_goldens_test.cpp), so that these hold
// without data.
#include "forge/tensor/decode.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <random>
#include <vector>

#include "forge/base/bytes.h"
#include "forge/tensor/blocks.h"

namespace forge {
namespace {

std::vector<std::byte> random_bytes(size_t n, uint32_t seed) {
  std::mt19937 rng(seed);
  std::vector<std::byte> bytes(n);
  for (std::byte& b : bytes) b = static_cast<std::byte>(rng() & 0xFF);
  return bytes;
}

// FNV-1a over the bits, all NaNs alike: their payloads are the compiler's choice.
uint64_t checksum(const std::vector<float>& values) {
  uint64_t hash = 0xCBF29CE484222325u;
  for (const float v : values) {
    const uint32_t bits = std::isnan(v) ? 0x7FC00000u : std::bit_cast<uint32_t>(v);
    for (int k = 0; k < 4; ++k) hash = (hash ^ ((bits >> (8 * k)) & 0xFF)) * 0x100000001B3u;
  }
  return hash;
}

TEST(Decode, LayoutChecksumsOfRandomBlocks) {
  const std::map<DType, uint64_t> expected{
      {DType::kF32, 0x1812E4C4D05D7043},    {DType::kF16, 0xAA5BE167B61BA4BB},
      {DType::kBF16, 0x09A703E3124EDB5F},   {DType::kQ4_0, 0x5910473A6851983D},
      {DType::kQ4_1, 0xA4C29B0B4A2091ED},   {DType::kQ5_0, 0xBDB9BF28AF3C4015},
      {DType::kQ5_1, 0x6C9BEF92D2DBD882},   {DType::kQ8_0, 0x92C3726493A56B45},
      {DType::kQ2_K, 0x50E7187DDDD609C1},   {DType::kQ3_K, 0xCCC5DD5753527A36},
      {DType::kQ4_K, 0xCD4AE379258C3052},   {DType::kQ5_K, 0x62D91E6CB0EE41C6},
      {DType::kQ6_K, 0x80DF9261756681AF},   {DType::kQ8_K, 0x2B3C1F0A309A62DD},
      {DType::kIQ4_NL, 0x7D5B425558DED97A}, {DType::kIQ4_XS, 0xA16727F4AE7071F3},
      {DType::kMXFP4, 0x96A8530B5050DBF4},
  };
  for (const DTypeInfo& type : all_dtypes()) {
    constexpr int64_t kCount = 256 * 40;
    const auto bytes = random_bytes(static_cast<size_t>(row_bytes(type.dtype, kCount).value()), 7);
    std::vector<float> values(kCount);
    decode(type.dtype, bytes.data(), kCount, values.data());
    ASSERT_TRUE(expected.contains(type.dtype)) << type.name;
    EXPECT_EQ(checksum(values), expected.at(type.dtype))
        << type.name << fmt::format(" got 0x{:016X}", checksum(values));
  }
}

// Any bytes decode, from an allocation that ends with them, and nothing beyond the n values is
// touched.
TEST(Decode, AnyBytesNoOverrun) {
  for (const DTypeInfo& type : all_dtypes()) {
    for (uint32_t seed = 0; seed < 50; ++seed) {
      const int64_t n = type.block_len * static_cast<int64_t>(1 + seed % 3);
      const auto bytes = random_bytes(static_cast<size_t>(row_bytes(type.dtype, n).value()), seed);
      std::vector<float> out(static_cast<size_t>(n) + 2, 12345.0f);
      decode(type.dtype, bytes.data(), n, out.data() + 1);
      EXPECT_EQ(out.front(), 12345.0f) << type.name;
      EXPECT_EQ(out.back(), 12345.0f) << type.name;
    }
    for (const int fill : {0x00, 0xFF, 0x7F, 0x80}) {
      std::vector<std::byte> bytes(static_cast<size_t>(type.block_bytes), std::byte(fill));
      std::vector<float> out(static_cast<size_t>(type.block_len));
      decode(type.dtype, bytes.data(), type.block_len, out.data());
      if (fill != 0) continue;
      for (const float v : out) EXPECT_LE(std::fabs(v), 0x1p-120f) << type.name;
    }
    decode(type.dtype, nullptr, 0, nullptr);
  }
}

TEST(Decode, PlainTypes) {
  const uint16_t halves[] = {0x3C00, 0x8001, 0x7BFF, 0xFC00};
  float out[4];
  decode(DType::kF16, reinterpret_cast<const std::byte*>(halves), 4, out);
  EXPECT_EQ(out[0], 1.0f);
  EXPECT_EQ(out[1], -0x1p-24f);
  EXPECT_EQ(out[2], 65504.0f);
  EXPECT_EQ(out[3], -INFINITY);
  const uint16_t brains[] = {0x3F80, 0x8000, 0x7F7F, 0x7F80};
  decode(DType::kBF16, reinterpret_cast<const std::byte*>(brains), 4, out);
  EXPECT_EQ(out[0], 1.0f);
  EXPECT_TRUE(out[1] == 0.0f && std::signbit(out[1]));
  EXPECT_EQ(out[2], 0x1.FEp127f);
  EXPECT_EQ(out[3], INFINITY);
  const float plain[] = {1.5f, -0.0f, 1e-45f};
  decode(DType::kF32, reinterpret_cast<const std::byte*>(plain), 3, out);
  EXPECT_EQ(0, std::memcmp(plain, out, sizeof(plain)));
}

TEST(Decode, MxScalesAreHalvedPowersOfTwo) {
  for (int e = 0; e < 256; ++e) {
    EXPECT_EQ(e8m0_half(static_cast<uint8_t>(e)), std::ldexp(0.5f, e - 127)) << e;
  }
  // E2M1 by its definition: 2^(max(exponent,1)-1) * (mantissa / 2 + (exponent > 0)).
  for (int code = 0; code < 16; ++code) {
    const int exponent = (code >> 1) & 3;
    const float mantissa = 0.5f * static_cast<float>(code & 1) + (exponent > 0 ? 1.0f : 0.0f);
    const float value = std::ldexp(mantissa, std::max(exponent, 1) - 1);
    EXPECT_EQ(0.5f * static_cast<float>(kFp4DoubledValues[static_cast<size_t>(code)]),
              code < 8 ? value : -value);
  }
}

// Six-bit scales cross byte borders: each of the pairs alone, every value.
TEST(Blocks, SixBitPairsAreIndependent) {
  for (int byte = 0; byte < 12; ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      SixBitPairs pairs{};
      pairs.bytes[byte] = static_cast<uint8_t>(1 << bit);
      int set = 0;
      for (int j = 0; j < 8; ++j)
        set += std::popcount(static_cast<unsigned>(pairs.scale(j))) +
               std::popcount(static_cast<unsigned>(pairs.min(j)));
      EXPECT_EQ(set, 1) << "byte " << byte << " bit " << bit << " belongs to one number";
    }
  }
}

TEST(DecodeDeathTest, PartOfABlock) {
  float out[32];
  const std::byte bytes[18]{};
  EXPECT_DEATH(decode(DType::kQ4_0, bytes, 31, out), "31 of Q4_0");
}

}  // namespace
}  // namespace forge
