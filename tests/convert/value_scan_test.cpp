// Trusts: decode() of tensor/.
#include "forge/convert/value_scan.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "forge/tensor/decode.h"

namespace forge::convert {
namespace {

bool decodes_to_numbers(const DTypeInfo& type, const std::byte* block) {
  std::vector<float> values(static_cast<size_t>(type.block_len));
  decode(type.dtype, block, type.block_len, values.data());
  for (const float value : values) {
    if (!std::isfinite(value)) return false;
  }
  return true;
}

// Random bytes, so that one block in some tens is bad; every type, any alignment, every length.
TEST(ValueScan, finds_the_first_block_that_decodes_to_no_numbers) {
  constexpr int64_t kBlocks = 3000;
  std::mt19937 random(7);
  for (const DTypeInfo& type : all_dtypes()) {
    std::vector<std::byte> bytes(static_cast<size_t>(kBlocks * type.block_bytes + 1));
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    const std::byte* data = bytes.data() + 1;
    int64_t n_bad = 0;
    int64_t begin = 0;
    for (int64_t i = 0; i < kBlocks; ++i) {
      if (decodes_to_numbers(type, data + i * type.block_bytes)) continue;
      ++n_bad;
      ASSERT_EQ(first_bad_block(type.dtype, data + begin * type.block_bytes, kBlocks - begin),
                i - begin)
          << type.name;
      ASSERT_EQ(first_bad_block(type.dtype, data + begin * type.block_bytes, i - begin), -1)
          << type.name;
      begin = i + 1;
    }
    EXPECT_GT(n_bad, 0) << type.name;
    EXPECT_EQ(first_bad_block(type.dtype, data + begin * type.block_bytes, kBlocks - begin), -1);
  }
}

}  // namespace
}  // namespace forge::convert
