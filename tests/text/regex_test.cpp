// Reference: Oniguruma as the `tokenizers` package 0.23 builds it (Unicode 16): which characters
// its classes match, and which matches its iterator gives.
#include "forge/text/regex/regex.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "forge/base/utf8.h"
#include "forge/text/regex/stand_in_text.h"
#include "forge/text/regex/translate.h"

namespace forge::text {
namespace {

using Spans = std::vector<std::pair<size_t, size_t>>;

Spans matches(std::string_view pattern, std::string_view text) {
  auto regex = Regex::compile(pattern, "test");
  EXPECT_TRUE(regex.ok()) << regex.error().message;
  Spans spans;
  if (!regex.ok()) return spans;
  regex->for_each_match(text, [&](size_t begin, size_t end) { spans.emplace_back(begin, end); });
  return spans;
}

int count_members(std::string_view pattern) {
  auto regex = Regex::compile(pattern, "test");
  EXPECT_TRUE(regex.ok()) << regex.error().message;
  std::string text;
  for (char32_t c = 1; c < 0x110000; ++c) {
    if (c < 0xD800 || c >= 0xE000) append_utf8(text, c);
  }
  int count = 0;
  regex->for_each_match(text, [&](size_t, size_t) { ++count; });
  return count;
}

TEST(Regex, ClassesHaveAsManyMembersAsInTheLibrary) {
  EXPECT_EQ(count_members(R"(\s)"), 25);
  EXPECT_EQ(count_members(R"(\p{L})"), 141028);
  EXPECT_EQ(count_members(R"(\p{N})"), 1911);
  EXPECT_EQ(count_members(R"(\p{P})"), 855);
  EXPECT_EQ(count_members(R"(\p{S})"), 8514);
  EXPECT_EQ(count_members(R"(\p{M})"), 2501);
  EXPECT_EQ(count_members(R"(\p{Lu})"), 1858);
  EXPECT_EQ(count_members(R"(\p{Ll})"), 2258);
  EXPECT_EQ(count_members(R"(\p{Lm})"), 404);
  EXPECT_EQ(count_members(R"(\p{Lo})"), 136477);
  EXPECT_EQ(count_members(R"(\p{Han})"), 99030);
  EXPECT_EQ(count_members(R"(\d)"), 760);
  EXPECT_EQ(count_members(R"(\w)"), 144671);
  EXPECT_EQ(count_members(R"([^\s\p{L}\p{N}])"), 969099);
  EXPECT_EQ(count_members("(?i:s)"), 3);
  EXPECT_EQ(count_members(R"(\h)"), 22);
}

TEST(Regex, EmptyMatchesAreGivenExceptBehindAMatch) {
  EXPECT_EQ(matches("a*", "baac"), (Spans{{0, 0}, {1, 3}, {4, 4}}));
  EXPECT_EQ(matches("x", ""), Spans{});
  EXPECT_EQ(matches("\u00e9?", "\u00e9\u00e9z"), (Spans{{0, 2}, {2, 4}, {5, 5}}));
}

TEST(Regex, LinesAndDotAreOnigurumas) {
  EXPECT_EQ(matches("^a", "a\na"), (Spans{{0, 1}, {2, 3}}));
  EXPECT_EQ(matches("a$", "a\na"), (Spans{{0, 1}, {2, 3}}));
  EXPECT_EQ(matches("(?m:a.)", "a\n"), (Spans{{0, 2}}));
  EXPECT_EQ(matches("a.", "a\n"), Spans{});
}

TEST(Regex, PossessiveLookaheadAndIntervals) {
  EXPECT_EQ(matches(R"(\s+(?!\S))", "a   b  "), (Spans{{1, 3}, {5, 7}}));
  EXPECT_EQ(matches("a?+a", "aa a"), (Spans{{0, 2}}));
  EXPECT_EQ(matches(R"(\p{N}{1,3})", "12345"), (Spans{{0, 3}, {3, 5}}));
  EXPECT_EQ(matches(R"(\bab\b)", "ab abc"), (Spans{{0, 2}}));
}

TEST(TranslatePattern, RewritesWhatDiffers) {
  const std::pair<const char*, const char*> cases[] = {
      {R"(\u00e9\v)", R"(\x{00e9}\x{0B})"},
      {R"(\p{Han}\p{^L}\P{Nd})", R"(\p{sc:Han}\p{^L}\P{Nd})"},
      {R"([\h\-\]])", R"([0-9A-Fa-f\-\]])"},
      {"(?mi:a)", "(?si:a)"},
      {R"(a{1,2}b+c)", R"(a{1,2}b+c)"}};
  for (const auto& entry : cases) {
    const auto result = translate_pattern(entry.first, "test");
    ASSERT_TRUE(result.ok()) << entry.first;
    EXPECT_EQ(*result, entry.second);
  }
}

TEST(TranslatePattern, RefusesWhatItDoesNotKnow) {
  for (const char* pattern :
       {R"(\K)",  R"(\R)",    R"(\X)",      R"(a\)",   R"([a[bc]])", "[a&&b]",  "[[:alpha:]]",
        "[]",     "[a",       R"(\p{Foo})", R"(\pL)",  R"(\p{L)",    R"(\u12)", "a{1,2}+",
        "(*UTF)", "(?P<n>a)", "(?",         R"([\W])", R"(\Qa\E)",   "(?s:a)"}) {
    const auto result = Regex::compile(pattern, "file: field");
    ASSERT_FALSE(result.ok()) << pattern;
    EXPECT_TRUE(result.error().message.starts_with("file: field: regex "))
        << result.error().message;
  }
  EXPECT_FALSE(Regex::compile("(a", "test").ok());  // PCRE2's own error
}

TEST(StandIns, KeepLengthAndLeaveOldTextAlone) {
  std::string storage;
  const std::string old_text = "a\u00e9\u4e00\U0001F600 \u2028";
  EXPECT_EQ(with_stand_ins(old_text, storage).data(), old_text.data());
  const std::string new_text = "a\U0002EBF0b\u1c89";  // Unicode 15.1 and 16
  const std::string_view replaced = with_stand_ins(new_text, storage);
  EXPECT_EQ(replaced.size(), new_text.size());
  EXPECT_NE(replaced, new_text);
  EXPECT_EQ(replaced[0], 'a');
  EXPECT_EQ(replaced[5], 'b');
  EXPECT_FALSE(find_invalid_utf8(replaced).has_value());
}

TEST(Regex, LongTextDoesNotOverflow) {
  const std::string text(3'000'000, 'a');
  EXPECT_EQ(matches(R"((?:a|b)+)", text), (Spans{{0, text.size()}}));
  EXPECT_EQ(matches(R"( ?\p{L}+)", text), (Spans{{0, text.size()}}));
}

}  // namespace
}  // namespace forge::text
