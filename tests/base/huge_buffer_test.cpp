// Trusts the kernel's own account of the mappings (/proc/self/smaps) and the documented sizes.
#include "forge/base/huge_buffer.h"

#if defined(__SANITIZE_ADDRESS__)
#define FORGE_WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FORGE_WITH_ASAN 1
#endif
#endif

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

namespace forge {
namespace {

TEST(HugeBuffer, IsZeroedAlignedAndWritable) {
  for (const size_t bytes : {size_t{1}, size_t{63}, size_t{4096}, (size_t{2} << 20) - 1,
                             size_t{2} << 20, (size_t{5} << 20) + 7}) {
    auto buffer = HugeBuffer::allocate(bytes);
    ASSERT_TRUE(buffer.ok()) << buffer.error().message;
    ASSERT_EQ(buffer->bytes(), bytes);
    const size_t alignment = bytes >= size_t{2} << 20 ? size_t{2} << 20 : 4096;
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer->data()) % alignment, 0u) << bytes;
    const std::span<std::byte> all(buffer->data(), bytes);
    EXPECT_TRUE(std::ranges::all_of(all, [](std::byte b) { return b == std::byte{0}; })) << bytes;
    std::ranges::fill(all, std::byte{0xA5});
    EXPECT_EQ(buffer->data()[bytes - 1], std::byte{0xA5});
  }
}

TEST(HugeBuffer, NothingIsABuffer) {
  auto buffer = HugeBuffer::allocate(0);
  ASSERT_TRUE(buffer.ok());
  EXPECT_EQ(buffer->data(), nullptr);
  EXPECT_EQ(buffer->bytes(), 0u);
}

TEST(HugeBuffer, MovesWithoutMovingTheBytes) {
  HugeBuffer a = std::move(HugeBuffer::allocate(100)).value();
  std::byte* const data = a.data();
  data[99] = std::byte{7};
  HugeBuffer b = std::move(a);
  EXPECT_EQ(a.data(), nullptr);  // NOLINT: what a moved-from buffer is, is the point
  EXPECT_EQ(b.data(), data);
  HugeBuffer c = std::move(HugeBuffer::allocate(200)).value();
  c = std::move(b);
  EXPECT_EQ(c.data(), data);
  EXPECT_EQ(c.bytes(), 100u);
  EXPECT_EQ(c.data()[99], std::byte{7});
}

TEST(HugeBuffer, WhatDoesNotFitIsAnErrorThatNamesTheSize) {
  for (const size_t bytes : {std::numeric_limits<size_t>::max(), size_t{1} << 62}) {
    const auto buffer = HugeBuffer::allocate(bytes);
    ASSERT_FALSE(buffer.ok());
    EXPECT_NE(buffer.error().message.find(std::to_string(bytes)), std::string::npos)
        << buffer.error().message;
  }
}

TEST(HugeBufferDeathTest, BytesAfterTheEndAreGuardedUnderAsan) {
#ifdef FORGE_WITH_ASAN
  HugeBuffer buffer = std::move(HugeBuffer::allocate(size_t{4096})).value();
  volatile std::byte* const end = buffer.data() + buffer.bytes();
  EXPECT_DEATH((void)*end, "AddressSanitizer");
  EXPECT_DEATH((void)end[63], "AddressSanitizer");
#else
  GTEST_SKIP() << "built without AddressSanitizer";
#endif
}

}  // namespace
}  // namespace forge
