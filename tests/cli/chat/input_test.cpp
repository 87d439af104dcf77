// Trusts: the rules stated in message_input.h, commands.h and pasted_text.h.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "forge/cli/chat/commands.h"
#include "forge/cli/chat/message_input.h"
#include "forge/cli/chat/pasted_text.h"

namespace forge::cli::chat {
namespace {

/// The messages that lines make; a literal one begins with "!".
std::vector<std::string> messages_of(const std::vector<std::string>& lines) {
  std::vector<std::string> messages;
  MessageInput input;
  const auto take = [&] {
    const Input taken = input.take();
    messages.push_back((taken.is_literal ? "!" : "") + taken.text);
  };
  for (const std::string& line : lines) {
    if (input.add(line)) take();
  }
  if (input.finish()) take();
  return messages;
}

using Messages = std::vector<std::string>;

TEST(MessageInput, ALineIsAMessage) {
  EXPECT_EQ(messages_of({"hello", "", "/help"}), (Messages{"hello", "", "/help"}));
}

TEST(MessageInput, QuotesMakeABlock) {
  EXPECT_EQ(messages_of({"\"\"\"one", "/two", "three\"\"\"", "four"}),
            (Messages{"!one\n/two\nthree", "four"}));
  EXPECT_EQ(messages_of({"\"\"\"", "one", "", "\"\"\""}), (Messages{"!one\n"}));
  EXPECT_EQ(messages_of({"\"\"\"/help\"\"\""}), (Messages{"!/help"}));
  EXPECT_EQ(messages_of({"  \"\"\"a\"\"\"  "}), (Messages{"!a"}));
  EXPECT_EQ(messages_of({"say \"\"\"x\"\"\""}), (Messages{"say \"\"\"x\"\"\""}));
}

TEST(MessageInput, ABackslashContinues) {
  EXPECT_EQ(messages_of({"one\\", "two\\", "three", "four"}),
            (Messages{"!one\ntwo\nthree", "four"}));
  EXPECT_EQ(messages_of({"/save\\", "x"}), (Messages{"!/save\nx"}));
  EXPECT_EQ(messages_of({"\"\"\"one\\", "two\"\"\""}), (Messages{"!one\\\ntwo"}));
}

TEST(MessageInput, TheEndOfTheInputEndsAMessage) {
  EXPECT_EQ(messages_of({"\"\"\"one", "two"}), (Messages{"!one\ntwo"}));
  EXPECT_EQ(messages_of({"one\\"}), (Messages{"!one"}));
}

TEST(MessageInput, APastedTextIsNoCommand) {
  EXPECT_EQ(messages_of({"/exit\nrm"}), (Messages{"!/exit\nrm"}));
}

TEST(MessageInput, ResetForgets) {
  MessageInput input;
  EXPECT_FALSE(input.add("\"\"\"one"));
  input.reset();
  EXPECT_FALSE(input.is_open());
  EXPECT_TRUE(input.add("two"));
  EXPECT_EQ(input.take().text, "two");
}

TEST(Commands, NamesArgumentsAndAliases) {
  const auto save = parse_command("/save  a b.json ");
  ASSERT_TRUE(save.ok());
  EXPECT_EQ(save->kind, CommandKind::kSave);
  EXPECT_EQ(save->argument, "a b.json");
  EXPECT_EQ(parse_command("/bye")->kind, CommandKind::kExit);
  EXPECT_EQ(parse_command("/?")->kind, CommandKind::kHelp);
}

TEST(Commands, MistakesAreNamed) {
  EXPECT_EQ(parse_command("/sav x").error().message, "/sav is no command: did you mean /save?");
  EXPECT_EQ(parse_command("/save").error().message, "/save wants a FILE: /save FILE");
  EXPECT_EQ(parse_command("/undo 2").error().message, "/undo takes nothing after it");
  EXPECT_NE(parse_command("/usr/bin/x is").error().message.find("//..."), std::string::npos);
}

TEST(Commands, TwoSlashesAreNone) {
  EXPECT_TRUE(is_command("/x"));
  EXPECT_FALSE(is_command("//x"));
  EXPECT_FALSE(is_command(" /x"));
}

TEST(Pasting, LineEndsAreOneKindAndControlsGo) {
  EXPECT_EQ(pasted_text("a\rb\r\nc\nd\r\x1b[201~"), "a\nb\nc\nd");
  EXPECT_EQ(pasted_text("\x1b[31mred\x07\tx\x7f"), "[31mred\tx");
  EXPECT_EQ(pasted_text("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
}

TEST(Completion, AsFarAsItIsCertain) {
  const std::vector<std::string> words = {"/save", "/set", "/stats", "/system", "/model"};
  EXPECT_EQ(completion("/m", words), "odel ");
  EXPECT_EQ(completion("/s", words), "");
  EXPECT_EQ(completion("/sy", words), "stem ");
  EXPECT_EQ(completion("x", words), "");
  EXPECT_EQ(completion("", words), "");
  EXPECT_EQ(completion("/st", {"/status", "/statue"}), "atu");
}

}  // namespace
}  // namespace forge::cli::chat
