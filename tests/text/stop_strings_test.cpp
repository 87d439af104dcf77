// Reference: a search through the whole text for the stop string that is complete first.
#include "forge/text/stop_strings.h"

#include <gtest/gtest.h>

#include <random>

namespace forge::text {
namespace {

struct Outcome {
  std::string text;
  std::string matched;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  return out << "\"" << outcome.text << "\" stopped by \"" << outcome.matched << "\"";
}

Outcome feed(const std::vector<std::string>& stops, const std::vector<std::string>& pieces) {
  auto matcher = StopMatcher::create(stops);
  EXPECT_TRUE(matcher.ok());
  Outcome outcome;
  for (const std::string& piece : pieces) outcome.text += matcher->add(piece);
  outcome.text += matcher->flush();
  if (matcher->matched()) outcome.matched = *matcher->matched();
  return outcome;
}

/// The definition: the stop string that ends first, the longest where several end together.
Outcome search(const std::vector<std::string>& stops, const std::string& text) {
  for (size_t end = 1; end <= text.size(); ++end) {
    std::string best;
    for (const std::string& stop : stops) {
      if (stop.size() > best.size() && text.substr(0, end).ends_with(stop)) best = stop;
    }
    if (!best.empty()) return {text.substr(0, end - best.size()), best};
  }
  return {text, ""};
}

TEST(StopMatcher, HoldsTextBackOnlyWhileItMayBecomeAStopString) {
  auto matcher = StopMatcher::create({"<end>"});
  ASSERT_TRUE(matcher.ok());
  EXPECT_EQ(matcher->add("one <"), "one ");
  EXPECT_EQ(matcher->add("en"), "");
  EXPECT_EQ(matcher->add("try> <<"), "<entry> <");
  EXPECT_EQ(matcher->add("end>after"), "");
  EXPECT_EQ(matcher->matched(), "<end>");
  EXPECT_EQ(matcher->add("more"), "");
  EXPECT_EQ(matcher->flush(), "");
}

TEST(StopMatcher, ReleasesWhatWasHeldAtTheEnd) {
  EXPECT_EQ(feed({"abc"}, {"xa", "b"}), (Outcome{"xab", ""}));
  EXPECT_EQ(feed({}, {"all", " of it"}), (Outcome{"all of it", ""}));
}

TEST(StopMatcher, TheFirstToBeCompleteWinsHoweverTheTextIsCut) {
  EXPECT_EQ(feed({"abcd", "bc"}, {"abcd"}), (Outcome{"a", "bc"}));
  EXPECT_EQ(feed({"abcd", "bc"}, {"a", "b", "c", "d"}), (Outcome{"a", "bc"}));
  EXPECT_EQ(feed({"c", "abc", "bc"}, {"xab", "c"}), (Outcome{"x", "abc"}));
  EXPECT_EQ(feed({"aab"}, {"a", "a", "a", "b"}), (Outcome{"a", "aab"}));
  EXPECT_EQ(feed({"\xE2\x80\x94"}, {"dash \xE2\x80\x94 end"}), (Outcome{"dash ", "\xE2\x80\x94"}));
}

TEST(StopMatcher, AgreesWithASearchOfTheWholeTextForRandomTextsAndCuts) {
  std::mt19937 random(20240611);
  const auto random_text = [&](size_t max_size) {
    std::string text(1 + random() % max_size, ' ');
    for (char& byte : text) byte = static_cast<char>('a' + random() % 3);
    return text;
  };
  int n_matched = 0;
  for (int trial = 0; trial < 5000; ++trial) {
    std::vector<std::string> stops;
    for (size_t i = 1 + random() % 3; i > 0; --i) stops.push_back(random_text(6));
    const std::string text = random_text(40);
    std::vector<std::string> pieces;
    for (size_t at = 0; at < text.size();) {
      const size_t size = random() % 6;
      pieces.push_back(text.substr(at, size));
      at += size;
    }
    const Outcome expected = search(stops, text);
    n_matched += expected.matched.empty() ? 0 : 1;
    ASSERT_EQ(feed(stops, pieces), expected) << "trial " << trial << " text " << text;
  }
  EXPECT_GT(n_matched, 1000);  // the trials are about something
  EXPECT_LT(n_matched, 4900);
}

TEST(StopMatcher, RefusesEmptyAndInvalidStopStrings) {
  const auto empty = StopMatcher::create({"a", ""});
  ASSERT_FALSE(empty.ok());
  EXPECT_EQ(empty.error().message, "a stop string is empty, expected at least one character");
  const auto invalid = StopMatcher::create({"ab\xFF"});
  ASSERT_FALSE(invalid.ok());
  EXPECT_EQ(invalid.error().message, "a stop string is not valid UTF-8: byte 2 is 0xff");
}

}  // namespace
}  // namespace forge::text
