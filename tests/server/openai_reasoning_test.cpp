// Trusts: a plain splitter of whole texts in this file; every way to cut a short text in three.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "forge/server/openai/reasoning.h"

namespace forge::server::openai {
namespace {

constexpr ThinkTags kTags{"<think>", "</think>"};

std::string trim(const std::string& text, bool left, bool right) {
  const char* space = " \t\r\n";
  size_t begin = left ? text.find_first_not_of(space) : 0;
  if (begin == std::string::npos) return "";
  const size_t end = right ? text.find_last_not_of(space) + 1 : text.size();
  return end > begin ? text.substr(begin, end - begin) : "";
}

/// The oracle: looks at the whole text at once.
ReasoningSplitter::Parts split_whole(std::string text, TextStart start) {
  const std::string stripped = trim(text, true, false);
  const bool opens = stripped.starts_with(kTags.open);
  if (!opens && start == TextStart::kUnknown) return {"", text};
  if (opens) text = stripped.substr(kTags.open.size());
  const size_t close = text.find(kTags.close);
  if (close == std::string::npos) return {trim(text, true, true), ""};
  return {trim(text.substr(0, close), true, true),
          trim(text.substr(close + kTags.close.size()), true, false)};
}

ReasoningSplitter::Parts split_pieces(const std::vector<std::string>& pieces, TextStart start) {
  ReasoningSplitter splitter(kTags, start);
  ReasoningSplitter::Parts all;
  const auto add = [&](const ReasoningSplitter::Parts& parts) {
    all.reasoning += parts.reasoning;
    all.content += parts.content;
  };
  for (const std::string& piece : pieces) add(splitter.add(piece));
  add(splitter.flush());
  return all;
}

TEST(OpenAiReasoning, EveryCutGivesTheSame) {
  const std::vector<std::string> texts = {"<think>\nI see.\n</think>\n\nYes.",
                                          "<think></think>ok",
                                          "\n <think> a  b </think> c",
                                          "no tags at all",
                                          "<thin air",
                                          "<think>never closed </thin",
                                          "  <",
                                          "",
                                          " \n ",
                                          "text <think>in the middle</think>",
                                          "</think>",
                                          "a</think>b</think>c",
                                          "<think>x</think>",
                                          "<think>a < b </ think></think> d \n",
                                          "\n\n</think>\n\n",
                                          "thoughts \n </think>\n answer",
                                          "<think>\xE2\x82\xAC\n</think>\n\xE2\x82\xAC ",
                                          "<think> ",
                                          "x <"};
  for (const std::string& text : texts) {
    for (const TextStart start : {TextStart::kUnknown, TextStart::kInThoughts}) {
      const auto expected = split_whole(text, start);
      for (size_t i = 0; i <= text.size(); ++i) {
        for (size_t k = i; k <= text.size(); ++k) {
          const auto parts =
              split_pieces({text.substr(0, i), text.substr(i, k - i), text.substr(k)}, start);
          ASSERT_EQ(parts.reasoning, expected.reasoning) << text << " " << i << " " << k;
          ASSERT_EQ(parts.content, expected.content) << text << " " << i << " " << k;
        }
      }
      std::vector<std::string> bytes;
      for (const char byte : text) bytes.emplace_back(1, byte);
      EXPECT_EQ(split_pieces(bytes, start).reasoning, expected.reasoning) << text;
      EXPECT_EQ(split_pieces(bytes, start).content, expected.content) << text;
    }
  }
}

TEST(OpenAiReasoning, TextComesAsSoonAsItIsCertain) {
  ReasoningSplitter splitter(kTags, TextStart::kInThoughts);
  EXPECT_EQ(splitter.add("I").reasoning, "I");
  EXPECT_EQ(splitter.add(" am").reasoning, " am");
  EXPECT_EQ(splitter.add(" <").reasoning, "");
  EXPECT_EQ(splitter.add("3").reasoning, " <3");
  EXPECT_EQ(splitter.add("</think>").reasoning, "");
  EXPECT_EQ(splitter.add("<").content, "<");
  EXPECT_TRUE(splitter.has_reasoning());
}

TEST(OpenAiReasoning, TagsAreFoundInTemplates) {
  EXPECT_EQ(find_think_tags("{{ '<think>\\n\\n</think>' }}")->open, "<think>");
  EXPECT_EQ(find_think_tags("{% set t = '[/THINK]' %}")->open, "[THINK]");
  EXPECT_FALSE(find_think_tags("<|im_start|>").has_value());
}

}  // namespace
}  // namespace forge::server::openai
