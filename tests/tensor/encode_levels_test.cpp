// Trusts tests/tensor/plain_encode: plain loops over one block.
#include "forge/tensor/encode_levels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "forge/base/float16.h"
#include "forge/tensor/encode.h"
#include "tests/tensor/plain_encode/plain_encode.h"

namespace forge {
namespace {

constexpr int64_t kBlockLen = 256;  // a multiple of every type's

// One kind of values for each block, so that lanes beside each other have different ones.
class Kinds {
 public:
  static constexpr int kCount = 14;

  void fill(int kind, float* block) {
    const float offset = gauss_(rng_);
    for (int64_t i = 0; i < kBlockLen; ++i) block[i] = value(kind, i, offset);
  }

 private:
  float value(int kind, int64_t i, float offset) {
    const float x = 0.02f * gauss_(rng_);
    const auto dice = [&](uint32_t sides) { return static_cast<int>(rng_() % sides); };
    switch (kind) {
      case 0:  // weights
        return x;
      case 1:  // heavy tails
        return x * x * x;
      case 2:  // sparse
        return dice(8) == 0 ? x : 0.0f;
      case 3:  // far above or below zero
        return x + 3.0f * offset;
      case 4:  // subnormal
        return std::ldexp(x, -140);
      case 5:  // huge
        return std::ldexp(x, 130);
      case 6:  // every magnitude
        return std::ldexp(x, dice(200) - 100);
      case 7:  // few values: ties of codes, errors and peaks
        return 0.5f * static_cast<float>(dice(5) - 2);
      case 8:  // constant
        return offset;
      case 9:  // constant in each sub-block
        return static_cast<float>(i / 16 % 5) - 1.0f;
      case 10:  // zero of both signs
        return dice(2) == 0 ? 0.0f : -0.0f;
      case 11:  // one value
        return i == 77 ? offset : 0.0f;
      case 12:  // bits
        return std::bit_cast<float>(static_cast<uint32_t>(rng_()) & 0xBFFFFFFFU);
      default:  // none is below zero, some sub-blocks are above
        return std::fabs(x) + (i / 32 % 2 == 0 ? std::fabs(offset) : 0.0f);
    }
  }

  std::mt19937 rng_{11};
  std::normal_distribution<float> gauss_;
};

std::vector<std::byte> bytes_of(DType dtype, int64_t n) {
  // With a byte behind, which nobody may touch.
  return std::vector<std::byte>(static_cast<size_t>(row_bytes(dtype, n).value()) + 1,
                                std::byte{0x5A});
}

bool is_block_type(const DTypeInfo& type) { return type.block_len > 1; }

TEST(EncodeLevels, EqualPlainLoops) {
  constexpr int kBlocks = 40 * Kinds::kCount;
  std::vector<float> values(kBlocks * kBlockLen);
  Kinds kinds;
  for (int b = 0; b < kBlocks; ++b) {
    kinds.fill(b % Kinds::kCount, values.data() + b * kBlockLen);
  }
  const auto n = static_cast<int64_t>(values.size());
  for (const DTypeInfo& type : all_dtypes()) {
    if (!is_block_type(type)) continue;
    auto expected = bytes_of(type.dtype, n);
    plain::encode(type.dtype, values.data(), n, expected.data());
    for (const EncodeLevel level : usable_encode_levels()) {
      auto found = bytes_of(type.dtype, n);
      encode_at(level, type.dtype, values.data(), n, found.data());
      const size_t block_bytes = static_cast<size_t>(type.block_bytes);
      for (size_t i = 0; i < found.size(); ++i) {
        const size_t block = i / block_bytes;
        ASSERT_EQ(found[i], expected[i])
            << type.name << " level " << static_cast<int>(level) << " byte " << i << ", block "
            << block << ", kind "
            << static_cast<int64_t>(block) * type.block_len / kBlockLen % Kinds::kCount;
      }
    }
  }
}

// Lanes are filled up at the end of a run of blocks: any number of blocks gives what each alone
// does.
TEST(EncodeLevels, EveryNumberOfBlocks) {
  std::vector<float> values(35 * kBlockLen);
  Kinds kinds;
  for (int b = 0; b < 35; ++b) kinds.fill(b % 4, values.data() + b * kBlockLen);
  for (const DTypeInfo& type : all_dtypes()) {
    if (!is_block_type(type)) continue;
    auto expected = bytes_of(type.dtype, 35 * kBlockLen);
    plain::encode(type.dtype, values.data(), 35 * kBlockLen, expected.data());
    for (const EncodeLevel level : usable_encode_levels()) {
      for (int64_t blocks = 0; blocks <= 35; ++blocks) {
        const int64_t n = blocks * type.block_len;
        auto found = bytes_of(type.dtype, n);
        encode_at(level, type.dtype, values.data(), n, found.data());
        EXPECT_TRUE(std::equal(found.begin(), found.end() - 1, expected.begin()))
            << type.name << " level " << static_cast<int>(level) << ", " << blocks << " blocks";
        EXPECT_EQ(found.back(), std::byte{0x5A}) << type.name << ", " << blocks << " blocks";
      }
    }
  }
}

// A value that is no number spoils its own block only, in whatever lane it is.
TEST(EncodeLevels, NotANumberStaysInItsBlock) {
  for (const DTypeInfo& type : all_dtypes()) {
    if (!is_block_type(type)) continue;
    std::vector<float> values(20 * kBlockLen);
    Kinds kinds;
    for (int b = 0; b < 20; ++b) kinds.fill(0, values.data() + b * kBlockLen);
    const auto n = static_cast<int64_t>(values.size());
    auto whole = bytes_of(type.dtype, n);
    encode(type.dtype, values.data(), n, whole.data());
    const auto bad = static_cast<size_t>(5 * type.block_len + 3);
    values[bad] = std::numeric_limits<float>::quiet_NaN();
    values[bad + static_cast<size_t>(2 * type.block_len)] = INFINITY;
    for (const EncodeLevel level : usable_encode_levels()) {
      auto found = bytes_of(type.dtype, n);
      encode_at(level, type.dtype, values.data(), n, found.data());
      for (size_t i = 0; i < found.size(); ++i) {
        const size_t block = i / static_cast<size_t>(type.block_bytes);
        if (block == 5 || block == 7) continue;
        ASSERT_EQ(found[i], whole[i]) << type.name << " block " << block;
      }
    }
  }
}

// Every half, and every number of them up to two vectors; in f32 and back.
TEST(EncodeLevels, HalvesAreThoseOfOneByOne) {
  std::vector<uint16_t> halves(1 << 16);
  for (size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<uint16_t>(i);
  const auto* bytes = reinterpret_cast<const std::byte*>(halves.data());
  for (const EncodeLevel level : usable_encode_levels()) {
    for (int64_t n = 0; n <= 33; ++n) {
      std::vector<float> values(static_cast<size_t>(n) + 1, 7.0f);
      decode_f16_at(level, bytes + 2 * 0x3C00, n, values.data());
      for (int64_t i = 0; i < n; ++i) {
        EXPECT_EQ(values[static_cast<size_t>(i)], f16_to_f32(static_cast<uint16_t>(0x3C00 + i)));
      }
      EXPECT_EQ(values.back(), 7.0f) << n;
      auto back = bytes_of(DType::kF16, n);
      encode_at(level, DType::kF16, values.data(), n, back.data());
      EXPECT_EQ(0, std::memcmp(back.data(), bytes + 2 * 0x3C00, static_cast<size_t>(2 * n))) << n;
      EXPECT_EQ(back.back(), std::byte{0x5A}) << n;
    }
    std::vector<float> values(halves.size());
    decode_f16_at(level, bytes, 1 << 16, values.data());
    for (size_t i = 0; i < halves.size(); ++i) {
      ASSERT_EQ(std::bit_cast<uint32_t>(values[i]), std::bit_cast<uint32_t>(f16_to_f32(halves[i])))
          << i;
    }
  }
}

// Rounding, overflow, subnormals, infinities, NaN.
TEST(EncodeLevels, HalfTypesAreThoseOfOneByOne) {
  std::mt19937 rng(5);
  std::vector<float> values(1 << 18);
  for (float& v : values) v = std::bit_cast<float>(static_cast<uint32_t>(rng()));
  for (size_t i = 0; i < 1 << 16; ++i) {  // between two halves, and beside that
    const uint32_t exact = std::bit_cast<uint32_t>(f16_to_f32(static_cast<uint16_t>(i)));
    values[i] = std::bit_cast<float>(exact + 0xFFF + static_cast<uint32_t>(i % 3));
  }
  const auto n = static_cast<int64_t>(values.size());
  for (const EncodeLevel level : usable_encode_levels()) {
    std::vector<uint16_t> f16(values.size());
    std::vector<uint16_t> bf16(values.size());
    encode_at(level, DType::kF16, values.data(), n, reinterpret_cast<std::byte*>(f16.data()));
    encode_at(level, DType::kBF16, values.data(), n, reinterpret_cast<std::byte*>(bf16.data()));
    for (size_t i = 0; i < values.size(); ++i) {
      ASSERT_EQ(f16[i], f32_to_f16(values[i])) << values[i] << " level " << static_cast<int>(level);
      ASSERT_EQ(bf16[i], f32_to_bf16(values[i])) << values[i];
    }
  }
}

TEST(EncodeLevels, FollowForgeIsa) {
  const EncodeLevel best = usable_encode_levels().back();
  EXPECT_EQ(usable_encode_levels().front(), EncodeLevel::kBase);
  EXPECT_EQ(choose_encode_level({}), best);
  EXPECT_EQ(choose_encode_level("scalar"), EncodeLevel::kBase);
  EXPECT_EQ(choose_encode_level("avx2"), std::min(best, EncodeLevel::kAvx2));
  EXPECT_EQ(choose_encode_level("avx512bf16"), best);
}

}  // namespace
}  // namespace forge
