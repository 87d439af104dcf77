// Trusts: the file models/forge-stories.gguf itself, read with std::ifstream.
#include "forge/bundled/bundled_model.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

namespace forge {
namespace {

std::string file_bytes() {
  std::ifstream file(FORGE_SOURCE_DIR "/models/forge-stories.gguf", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(BundledModel, EqualsTheFileByteForByte) {
  const std::string file = file_bytes();
  const auto bundled = bundled_model();
  ASSERT_EQ(bundled.size(), file.size());
  EXPECT_EQ(std::memcmp(bundled.data(), file.data(), file.size()), 0);
}

TEST(BundledModel, IsAGgufFileAtAnAlignedAddress) {
  const auto bundled = bundled_model();
  ASSERT_GE(bundled.size(), 4U);
  EXPECT_EQ(std::memcmp(bundled.data(), "GGUF", 4), 0);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bundled.data()) % 64, 0U);
}

}  // namespace
}  // namespace forge
