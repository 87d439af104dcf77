// Reference: the `tokenizers` package 0.23, run on the same added tokens and texts.
#include "forge/text/pipeline/added_tokens.h"

#include <gtest/gtest.h>

#include <random>

namespace forge::text {
namespace {

using Parts = std::vector<std::string>;

// Text as it is, tokens as "#id".
Parts split(std::vector<AddedToken> tokens, std::string_view text, bool parse_special = true,
            const NormalizerChain& normalizers = {}) {
  const AddedTokens added(std::move(tokens), normalizers);
  Parts parts;
  added.split(
      text, parse_special, normalizers,
      [&](const Segment& segment) { parts.push_back(segment.text); },
      [&](int32_t id) { parts.push_back("#" + std::to_string(id)); });
  return parts;
}

TEST(TokenFinder, LeftmostThenLongest) {
  const TokenFinder finder({"ab", "abcd", "bc", "", "c"});
  TokenFinder::Match match;
  ASSERT_TRUE(finder.find("xabcd", 0, match));
  EXPECT_EQ(match.index, 1u);
  EXPECT_EQ(match.begin, 1u);
  EXPECT_EQ(match.end, 5u);
  ASSERT_TRUE(finder.find("xabcx", 0, match));
  EXPECT_EQ(match.index, 0u);
  ASSERT_TRUE(finder.find("xabcx", match.end, match));
  EXPECT_EQ(match.index, 4u);
  EXPECT_FALSE(finder.find("xabcx", match.end, match));
  EXPECT_FALSE(TokenFinder().find("abc", 0, match));
}

// Against a search that tries every string at every position.
TEST(TokenFinder, AgreesWithTryingEverything) {
  std::mt19937 random(4);
  for (int round = 0; round < 300; ++round) {
    const auto word = [&](size_t longest) {
      std::string text;
      for (auto i = 1 + random() % longest; i > 0; --i) text += "ab<"[random() % 3];
      return text;
    };
    std::vector<std::string> strings;
    for (auto i = random() % 6; i > 0; --i) strings.push_back(word(4));
    const std::string text = word(40);
    const TokenFinder finder(strings);
    for (size_t offset = 0; offset <= text.size(); ++offset) {
      std::string expected;
      size_t expected_begin = 0;
      for (size_t begin = offset; begin < text.size() && expected.empty(); ++begin) {
        for (const std::string& string : strings) {
          if (text.compare(begin, string.size(), string) == 0 && string.size() > expected.size()) {
            expected = string;
            expected_begin = begin;
          }
        }
      }
      TokenFinder::Match match;
      ASSERT_EQ(finder.find(text, offset, match), !expected.empty());
      if (expected.empty()) continue;
      EXPECT_EQ(match.begin, expected_begin);
      EXPECT_EQ(strings[match.index], expected);
    }
  }
}

TEST(AddedTokens, StripFlagsTakeWhiteSpace) {
  const std::vector<AddedToken> tokens = {
      {.content = "<l>", .id = 6, .lstrip = true, .rstrip = true}, {.content = " <r>", .id = 7}};
  // The space before <r> belongs to both: the library then gives both tokens.
  EXPECT_EQ(split(tokens, "a <l>  <r>b"), (Parts{"a", "#6", "#7", "b"}));
  EXPECT_EQ(split(tokens, "a\u3000<l>\n\u2003b"), (Parts{"a", "#6", "b"}));
}

TEST(AddedTokens, SingleWordNeedsNoWordBesideIt) {
  const std::vector<AddedToken> tokens = {{.content = "<s>", .id = 6, .single_word = true},
                                          {.content = "<s>a", .id = 8}};
  EXPECT_EQ(split(tokens, "(<s>)"), (Parts{"(", "#6", ")"}));
  EXPECT_EQ(split(tokens, "<s> b"), (Parts{"#6", " b"}));
  EXPECT_EQ(split(tokens, "<s>b"), (Parts{"<s>b"}));
  EXPECT_EQ(split(tokens, "_<s>"), (Parts{"_<s>"}));
  EXPECT_EQ(split(tokens, "\u0301<s>"), (Parts{"\u0301<s>"}));
  EXPECT_EQ(split(tokens, "<s>ab"), (Parts{"#8", "b"}));
  EXPECT_EQ(split(tokens, "\u00b2<s>"), (Parts{"\u00b2", "#6"}));
  EXPECT_EQ(split(tokens, "\u200c<s>"), (Parts{"\u200c<s>"}));
}

TEST(AddedTokens, SpecialOnesAreTextWhenNotParsed) {
  const std::vector<AddedToken> tokens = {{.content = "<l>", .id = 6, .is_special = true},
                                          {.content = "<l>a", .id = 7}};
  EXPECT_EQ(split(tokens, "a<l>b", true), (Parts{"a", "#6", "b"}));
  EXPECT_EQ(split(tokens, "a<l>b", false), (Parts{"a<l>b"}));
  EXPECT_EQ(split(tokens, "a<l>ab", false), (Parts{"a", "#7", "b"}));
}

TEST(AddedTokens, NormalizedOnesAreFoundInTheNormalizedText) {
  NormalizerChain chain;
  chain.push_back(make_lowercase());
  const std::vector<AddedToken> tokens = {{.content = "My", .id = 1, .is_normalized = true},
                                          {.content = "[CLS]", .id = 2, .is_special = true}};
  EXPECT_EQ(split(tokens, "[CLS] MY Name [cls]", true, chain),
            (Parts{"#2", " ", "#1", " name [cls]"}));
}

}  // namespace
}  // namespace forge::text
