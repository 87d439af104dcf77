// Reference: the `tokenizers` package 0.23; expected pieces were printed by its pre_tokenize_str.
#include "forge/text/pipeline/pre_tokenizer.h"

#include <gtest/gtest.h>

#include "forge/text/unicode/code_points.h"

namespace forge::text {
namespace {

using Pieces = std::vector<std::string>;

Pieces split(const PreTokenizer& pre_tokenizer, std::string_view text, bool at_start = true) {
  Pieces pieces;
  pre_tokenizer.split({text, at_start},
                      [&](const Piece& piece) { pieces.emplace_back(piece.text); });
  return pieces;
}

std::unique_ptr<PreTokenizer> on_digits(SplitBehavior behavior) {
  auto regex = Regex::compile(R"(\d+)", "test");
  EXPECT_TRUE(regex.ok());
  return make_split(std::move(regex).value(), behavior, false);
}

TEST(Split, EveryBehavior) {
  struct Case {
    SplitBehavior behavior;
    Pieces text, edges, inverted, digits;
  };
  const Case cases[] = {
      {SplitBehavior::kIsolated,
       {"the", "-", "final", "-", "-", "countdown"},
       {"-", "a", "-"},
       {"the", "-", "final", "-", "-", "countdown"},
       {"a", "12", "b", "3"}},
      {SplitBehavior::kRemoved, {"the", "final", "countdown"}, {"a"}, {"-", "-", "-"}, {"a", "b"}},
      {SplitBehavior::kMergedWithPrevious,
       {"the-", "final-", "-", "countdown"},
       {"-", "a-"},
       {"the", "-final", "-", "-countdown"},
       {"a12", "b3"}},
      {SplitBehavior::kMergedWithNext,
       {"the", "-final", "-", "-countdown"},
       {"-a", "-"},
       {"the-", "final-", "-", "countdown"},
       {"a", "12b", "3"}},
      {SplitBehavior::kContiguous,
       {"the", "-", "final", "--", "countdown"},
       {"-", "a", "-"},
       {"the", "-", "final", "--", "countdown"},
       {"a", "12", "b", "3"}}};
  for (const Case& entry : cases) {
    EXPECT_EQ(split(*make_split("-", entry.behavior, false), "the-final--countdown"), entry.text);
    EXPECT_EQ(split(*make_split("-", entry.behavior, false), "-a-"), entry.edges);
    EXPECT_EQ(split(*make_split("-", entry.behavior, true), "the-final--countdown"),
              entry.inverted);
    EXPECT_EQ(split(*on_digits(entry.behavior), "a12b3"), entry.digits);
  }
  EXPECT_EQ(split(*make_split("-", SplitBehavior::kRemoved, false), "--"), Pieces{});
}

TEST(Split, CharacterClasses) {
  const auto digits = make_split(is_numeric, SplitBehavior::kIsolated);
  EXPECT_EQ(split(*digits, "a123 \u0661\u00b2"),
            (Pieces{"a", "1", "2", "3", " ", "\u0661", "\u00b2"}));
  const auto runs = make_split(is_numeric, SplitBehavior::kContiguous);
  EXPECT_EQ(split(*runs, "a123 \u0661\u00b2"), (Pieces{"a", "123", " ", "\u0661\u00b2"}));
  const auto punctuation = make_split(is_punctuation, SplitBehavior::kIsolated);
  EXPECT_EQ(split(*punctuation, "Hi, you!! $5\u3002"),
            (Pieces{"Hi", ",", " you", "!", "!", " ", "$", "5", "\u3002"}));
  const auto words = make_split(is_white_space, SplitBehavior::kRemoved);
  EXPECT_EQ(split(*words, "Hey man!\u3000b\u200bc"), (Pieces{"Hey", "man!", "b\u200bc"}));
}

TEST(WordSplit, RunsOfWordAndOtherCharacters) {
  EXPECT_EQ(split(*make_word_split(), "Hey man! it's e\u0301 x_y"),
            (Pieces{"Hey", "man", "!", "it", "'", "s", "e\u0301", "x_y"}));
  EXPECT_EQ(split(*make_word_split(), " \u00b2a\u200d! "), (Pieces{"\u00b2", "a\u200d", "!"}));
}

TEST(Metaspace, PrefixSchemes) {
  const std::string mark = "\u2581";
  EXPECT_EQ(split(*make_metaspace(mark, PrefixSpace::kFirst, true), "Hey  you"),
            (Pieces{"\u2581Hey", "\u2581", "\u2581you"}));
  EXPECT_EQ(split(*make_metaspace(mark, PrefixSpace::kAlways, false), " Hey"),
            (Pieces{"\u2581Hey"}));
  EXPECT_EQ(split(*make_metaspace(mark, PrefixSpace::kNever, true), "Hey  you"),
            (Pieces{"Hey", "\u2581", "\u2581you"}));
  EXPECT_EQ(split(*make_metaspace(mark, PrefixSpace::kFirst, false), "b c", false),
            (Pieces{"b\u2581"
                    "c"}));
}

TEST(ByteLevel, PatternSpaceAndAlphabet) {
  const auto spelt =
      make_byte_level({.add_prefix_space = true, .use_regex = true, .is_raw = false});
  EXPECT_EQ(split(*spelt, "Hello you're \u00e9"),
            (Pieces{"\u0120Hello", "\u0120you", "'re", "\u0120\u00c3\u00a9"}));
  EXPECT_EQ(split(*spelt, "  x"), (Pieces{"\u0120", "\u0120x"}));
  const auto raw = make_byte_level({.add_prefix_space = false, .use_regex = true, .is_raw = true});
  EXPECT_EQ(split(*raw, "Hello  wor\tld\n\n a"),
            (Pieces{"Hello", " ", " wor", "\t", "ld", "\n\n", " a"}));
  const auto whole =
      make_byte_level({.add_prefix_space = true, .use_regex = false, .is_raw = true});
  EXPECT_EQ(split(*whole, "a b"), (Pieces{" a b"}));
}

}  // namespace
}  // namespace forge::text
