// Trusts arithmetic by hand.
#include "forge/base/bytes.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace forge {
namespace {

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();

TEST(Bytes, CheckedArithmetic) {
  EXPECT_EQ(checked_add(kMax - 1, 1), kMax);
  EXPECT_EQ(checked_add(kMax, 1), std::nullopt);
  EXPECT_EQ(checked_add(kMax, kMax), std::nullopt);
  EXPECT_EQ(checked_mul(kMax, 1), kMax);
  EXPECT_EQ(checked_mul(kMax, 0), 0u);
  EXPECT_EQ(checked_mul(1ull << 32, 1ull << 32), std::nullopt);
  EXPECT_EQ(checked_mul((1ull << 32) - 1, (1ull << 32) + 1), kMax);
}

TEST(Bytes, LoadsAndStoresAtAnyAddress) {
  std::array<std::byte, 12> bytes{};
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i + 1);
  EXPECT_EQ(load_le<uint32_t>(&bytes[1]), 0x05040302u);
  EXPECT_EQ(load_le<uint64_t>(&bytes[3]), 0x0B0A090807060504u);
  store_le<uint16_t>(&bytes[5], 0xBEEF);
  EXPECT_EQ(bytes[4], std::byte{5});
  EXPECT_EQ(bytes[5], std::byte{0xEF});
  EXPECT_EQ(bytes[6], std::byte{0xBE});
  EXPECT_EQ(bytes[7], std::byte{8});
}

}  // namespace
}  // namespace forge
