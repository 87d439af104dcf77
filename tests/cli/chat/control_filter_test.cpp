// Trusts: ECMA-48's control characters, C0 and C1, written out by hand.
#include "forge/cli/control_filter.h"

#include <gtest/gtest.h>

namespace forge::cli {
namespace {

TEST(ControlFilter, NothingDrivesTheTerminal) {
  EXPECT_EQ(harmless("\x1b]0;title\x07 \x1b[2J"), "\\x1b]0;title\\x07 \\x1b[2J");
  EXPECT_EQ(harmless("a\x08\x08z\x7f"), "a\\x08\\x08z\\x7f");
  EXPECT_EQ(harmless("\xc2\x9b\x32J"), "\\x9b2J");
  EXPECT_EQ(harmless(std::string_view("\0", 1)), "\\x00");
  for (int byte = 0; byte < 0x20; ++byte) {
    if (byte == '\n' || byte == '\t') continue;
    EXPECT_EQ(harmless(std::string(1, static_cast<char>(byte))).size(), 4u) << byte;
  }
}

TEST(ControlFilter, TextStaysAsItIs) {
  const std::string text = "a\tb\nÄ é \xc2\xa0 日本 🙂 \xe2\x80\x8f";
  EXPECT_EQ(harmless(text), text);
}

TEST(ControlFilter, LineEndsOfWindowsAreLineEnds) {
  EXPECT_EQ(harmless("a\r\nb"), "a\nb");
  EXPECT_EQ(harmless("a\rb"), "a\\x0db");
  ControlFilter filter;
  EXPECT_EQ(filter.pass("a\r"), "a");
  EXPECT_EQ(filter.pass("\nb\r"), "\nb");
  EXPECT_EQ(filter.flush(), "\\x0d");
}

}  // namespace
}  // namespace forge::cli
