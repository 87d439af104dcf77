// Trusts: sizes written out here.
#include "forge/base/format_bytes.h"

#include <gtest/gtest.h>

namespace forge {
namespace {

TEST(FormatBytes, ThreeDigits) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1024), "1.00 KiB");
  EXPECT_EQ(format_bytes(int64_t{15} << 30), "15.0 GiB");
  EXPECT_EQ(format_bytes(int64_t{300} << 40), "300 TiB");
}

}  // namespace
}  // namespace forge
