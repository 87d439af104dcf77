// Trusts: the form that saved_chat.h shows, which is OpenAI's for messages; files in a temporary
// folder.
#include "forge/cli/chat/saved_chat.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "forge/base/json.h"
#include "tests/temporary_folder.h"

namespace forge::cli::chat {
namespace {

SavedChat example() {
  SavedChat chat{.model = "m", .settings = {}, .conversation = {}};
  chat.settings.sampling.temperature = 0.25;
  chat.settings.stop = {"END", "\n"};
  chat.settings.sampling.logit_bias = {{42, -0.1f}, {7, 100.0f}};
  chat.settings.seed = 18446744073709551615u;
  chat.conversation.set_system("Be \"brief\".");
  chat.conversation.add_user("Hi\nthere");
  Answer answer;
  answer.content = "Hello";
  answer.reasoning = "They greet.";
  answer.finish_reason = "cancelled";
  chat.conversation.set_answer(answer);
  return chat;
}

std::string error_of(std::string_view text) {
  const Result<SavedChat> chat = from_json(text, "f.json", {});
  return chat.ok() ? "" : chat.error().message;
}

TEST(SavedChat, ComesBackAsItWas) {
  const Result<SavedChat> chat = from_json(to_json(example()), "f", {});
  ASSERT_TRUE(chat.ok()) << chat.error().message;
  EXPECT_EQ(chat->model, "m");
  EXPECT_EQ(chat->settings.sampling.temperature, 0.25);
  EXPECT_EQ(chat->settings.stop, (std::vector<std::string>{"END", "\n"}));
  ASSERT_EQ(chat->settings.sampling.logit_bias.size(), 2u);
  EXPECT_EQ(chat->settings.sampling.logit_bias[0].id, 42);
  EXPECT_EQ(chat->settings.sampling.logit_bias[0].bias, -0.1f);
  EXPECT_EQ(chat->settings.seed, 18446744073709551615u);
  EXPECT_EQ(chat->conversation.system(), "Be \"brief\".");
  ASSERT_EQ(chat->conversation.turns().size(), 1u);
  const Turn& turn = chat->conversation.turns()[0];
  EXPECT_EQ(turn.user, "Hi\nthere");
  EXPECT_EQ(turn.answer->content, "Hello");
  EXPECT_EQ(turn.answer->reasoning, "They greet.");
  EXPECT_EQ(turn.answer->finish_reason, "cancelled");
}

TEST(SavedChat, MessagesAreThoseOfOpenAi) {
  const auto document = json::Document::parse(to_json(example()), "");
  ASSERT_TRUE(document.ok());
  const json::Value messages = document->root().find("messages");
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(messages.at(0).find("role").as_string(), "system");
  EXPECT_EQ(messages.at(2).find("role").as_string(), "assistant");
  EXPECT_EQ(messages.at(2).find("reasoning_content").as_string(), "They greet.");
  EXPECT_EQ(document->root().find("settings").find("temperature").as_double(), 0.25);
}

TEST(SavedChat, AnyMessagesWillDo) {
  const Result<SavedChat> chat = from_json(
      R"({"messages":[{"role":"user","content":"a"},{"role":"user","content":"b"}]})", "f", {});
  ASSERT_TRUE(chat.ok());
  EXPECT_EQ(chat->conversation.turns().size(), 2u);
}

TEST(SavedChat, WhatIsWrongIsNamed) {
  EXPECT_EQ(error_of("[]"), "f.json: no \"messages\": not a saved chat");
  EXPECT_NE(error_of("{").find("f.json: line 1"), std::string::npos);
  EXPECT_EQ(error_of(R"({"messages":[{"role":"tool","content":""}]})"),
            "f.json: messages[0]: role \"tool\": expected system, user or assistant");
  EXPECT_EQ(error_of(R"({"messages":[{"role":"assistant","content":""}]})"),
            "f.json: messages[0]: an answer without a user's message before it");
  EXPECT_EQ(error_of(R"({"messages":[{"role":"user","content":[]}]})"),
            "f.json: messages[0]: \"content\" is no text");
  EXPECT_EQ(
      error_of(R"({"messages":[{"role":"user","content":""},{"role":"system","content":""}]})"),
      "f.json: messages[1]: a system message comes first");
  EXPECT_NE(error_of(R"({"messages":[],"settings":{"temprature":1}})").find("did you mean"),
            std::string::npos);
  EXPECT_NE(error_of(R"({"messages":[],"settings":{"top_p":2}})").find("f.json: settings: top_p"),
            std::string::npos);
}

TEST(SavedChat, FilesArePrivateWholeAndAlone) {
  TemporaryFolder folder;
  const std::string path = folder.path("talk.json");
  ASSERT_TRUE(save_chat(example(), path).ok());
  ASSERT_TRUE(save_chat(example(), path).ok()) << "one of ours may be replaced";
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_TRUE(load_chat(path, {}).ok());
  int n_files = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(path).parent_path())) {
    ++n_files;
  }
  EXPECT_EQ(n_files, 1);
}

TEST(SavedChat, OtherFilesAreNotTouched) {
  TemporaryFolder folder;
  const std::string path = folder.write("thesis.txt", "years of work");
  const Status saved = save_chat(example(), path);
  ASSERT_FALSE(saved.ok());
  EXPECT_NE(saved.error().message.find("is no saved chat"), std::string::npos);
  EXPECT_EQ(read_file(path), "years of work");
  EXPECT_FALSE(save_chat(example(), folder.path("no/such/folder.json")).ok());
  EXPECT_FALSE(load_chat(folder.path("absent.json"), {}).ok());
  EXPECT_FALSE(load_chat("/dev/zero", {}).ok());
}

}  // namespace
}  // namespace forge::cli::chat
