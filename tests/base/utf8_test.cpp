// Trusts the Unicode standard 15: table 3-7 (well-formed sequences) and the examples of section 3.9
// on maximal subparts (tables 3-8 to 3-11), which Python's errors="replace" follows too.
#include "forge/base/utf8.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace forge {
namespace {

using std::string_literals::operator""s;

const std::string kBad = "\xEF\xBF\xBD";

// The well-formed form of a code point by arithmetic, independent of append_utf8.
std::string utf8_of(uint32_t c) {
  const auto byte = [](uint32_t v) { return static_cast<char>(v); };
  if (c < 0x80) return {byte(c)};
  if (c < 0x800) return {byte(0xC0 + c / 64), byte(0x80 + c % 64)};
  if (c < 0x10000) return {byte(0xE0 + c / 4096), byte(0x80 + c / 64 % 64), byte(0x80 + c % 64)};
  return {byte(0xF0 + c / 262144), byte(0x80 + c / 4096 % 64), byte(0x80 + c / 64 % 64),
          byte(0x80 + c % 64)};
}

TEST(Utf8, EveryCodePoint) {
  for (uint32_t c = 0; c <= 0x10FFFF; ++c) {
    const std::string text = utf8_of(c);
    const Utf8Char decoded = decode_utf8(text, 0);
    if (c >= 0xD800 && c <= 0xDFFF) {
      ASSERT_FALSE(decoded.is_valid) << c;
      ASSERT_EQ(find_invalid_utf8(text), 0u) << c;
      continue;
    }
    ASSERT_TRUE(decoded.is_valid) << c;
    ASSERT_EQ(decoded.code_point, c);
    ASSERT_EQ(decoded.length, static_cast<int>(text.size())) << c;
    ASSERT_EQ(find_invalid_utf8(text), std::nullopt) << c;
    std::string appended;
    append_utf8(appended, c);
    ASSERT_EQ(appended, text) << c;
  }
}

// Table 3-7, every pair of lead byte and second byte, with valid bytes after them.
TEST(Utf8, Table37) {
  for (int lead = 0; lead < 256; ++lead) {
    for (int second = 0; second < 256; ++second) {
      bool is_valid = false;
      int length = 1;
      const bool continues = second >= 0x80 && second <= 0xBF;
      if (lead < 0x80) {
        is_valid = true;
      } else if (lead >= 0xC2 && lead <= 0xDF) {
        length = 2, is_valid = continues;
      } else if (lead >= 0xE0 && lead <= 0xEF) {
        length = 3, is_valid = continues;
        if (lead == 0xE0) is_valid = continues && second >= 0xA0;
        if (lead == 0xED) is_valid = continues && second <= 0x9F;
      } else if (lead >= 0xF0 && lead <= 0xF4) {
        length = 4, is_valid = continues;
        if (lead == 0xF0) is_valid = continues && second >= 0x90;
        if (lead == 0xF4) is_valid = continues && second <= 0x8F;
      }
      std::string text{static_cast<char>(lead), static_cast<char>(second), '\x80', '\x80'};
      const Utf8Char c = decode_utf8(text, 0);
      ASSERT_EQ(c.is_valid, is_valid) << lead << " " << second;
      ASSERT_EQ(c.length, is_valid ? length : 1) << lead << " " << second;
      ASSERT_EQ(c.code_point == 0xFFFD, !is_valid) << lead << " " << second;
    }
  }
}

TEST(Utf8, LaterBytesMustContinue) {
  for (const std::string& text : {"\xE2\x82\x41"s, "\xE2\x82\xC0"s, "\xF0\x9F\x98\x41"s,
                                  "\xF0\x9F\x41\x80"s, "\xE2\x82"s, "\xF0\x9F\x98"s, "\xC3"s}) {
    EXPECT_FALSE(decode_utf8(text, 0).is_valid);
    EXPECT_EQ(find_invalid_utf8("ab" + text), 2u);
  }
  EXPECT_EQ(find_invalid_utf8(""), std::nullopt);
  EXPECT_EQ(find_invalid_utf8("a\0b"s), std::nullopt);
}

TEST(Utf8, ReplaceMaximalSubparts) {
  const auto bad = [](int n) {
    std::string text;
    for (int i = 0; i < n; ++i) text += kBad;
    return text;
  };
  // Tables 3-8 to 3-11 of the standard.
  EXPECT_EQ(replace_invalid_utf8("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"), bad(8) + "A");
  EXPECT_EQ(replace_invalid_utf8("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"), bad(8) + "A");
  EXPECT_EQ(replace_invalid_utf8("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"),
            bad(5) + "A" + bad(2) + "B");
  EXPECT_EQ(replace_invalid_utf8("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), bad(4) + "A");
  // Valid text is untouched, U+FFFD itself and NUL included.
  const std::string valid = "caf\xC3\xA9 \xF0\x9F\x98\x80 "s + kBad + "\0x"s;
  EXPECT_EQ(replace_invalid_utf8(valid), valid);
  EXPECT_EQ(replace_invalid_utf8(""), "");
  EXPECT_EQ(replace_invalid_utf8("\xF0\x9F\x98"), kBad);
}

TEST(Utf8, ReplacementIsValidForAnyBytes) {
  uint32_t state = 1;
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (int i = 0; i < 8; ++i) {
      state = state * 1664525u + 1013904223u;
      // Half the bytes from the borders of table 3-7.
      const char borders[] = "\x41\x80\x8F\x90\x9F\xA0\xBF\xC2\xE0\xE2\xED\xF0\xF1\xF4\xF5\xFF";
      text += (state >> 30) % 2 == 0 ? borders[(state >> 8) % 16] : static_cast<char>(state >> 16);
    }
    const std::string replaced = replace_invalid_utf8(text);
    ASSERT_EQ(find_invalid_utf8(replaced), std::nullopt);
    ASSERT_EQ(find_invalid_utf8(text).has_value(), replaced != text);
  }
}

TEST(Utf8, CompletePrefix) {
  const std::string text = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80";
  const std::vector<size_t> expected{0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10};
  for (size_t n = 0; n <= text.size(); ++n) {
    EXPECT_EQ(complete_utf8_prefix(text.substr(0, n)), expected[n]) << n;
  }
  // What no later byte can complete is not held back.
  for (const std::string& dead : {"a\x80"s, "a\xFF"s, "a\xC0"s, "a\xE0\x80"s, "a\xED\xA0"s,
                                  "a\xF4\x90"s, "a\xF5"s, "a\x80\x80\x80"s, "\xF0\x9F\x41"s}) {
    EXPECT_EQ(complete_utf8_prefix(dead), dead.size());
  }
  // A cut character after an invalid one is.
  EXPECT_EQ(complete_utf8_prefix("\xF0\xE2\x82"), 1u);
}

// Validation skips ASCII in strides; an invalid byte is found at every place of one.
TEST(Utf8, InvalidByteAtEveryOffset) {
  for (size_t n = 1; n < 40; ++n) {
    for (size_t at = 0; at < n; ++at) {
      std::string text(n, 'a');
      EXPECT_EQ(find_invalid_utf8(text), std::nullopt);
      text[at] = '\x80';
      EXPECT_EQ(find_invalid_utf8(text), at);
    }
  }
}

// Feeding a text in two parts and holding back what the prefix says never shows half a character.
TEST(Utf8, PrefixAndRestAddUp) {
  const std::string text = "x\xF0\x9F\x98\x80\xE2\x82\xACy\xC3\xA9\xFFz\xE1\x80";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    const std::string first = text.substr(0, cut);
    const size_t shown = complete_utf8_prefix(first);
    EXPECT_EQ(
        replace_invalid_utf8(first.substr(0, shown)) + replace_invalid_utf8(text.substr(shown)),
        replace_invalid_utf8(text))
        << cut;
  }
}

}  // namespace
}  // namespace forge
