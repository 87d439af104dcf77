// Trusts: docs/chat.md. The program over pipes: answers on stdout, all else on stderr.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "forge/base/json.h"
#include "tests/cli/chat_model_folder.h"
#include "tests/cli/program.h"

namespace forge::cli {
namespace {

struct TalkingModel {
  TemporaryFolder folder;
  std::string path;
  explicit TalkingModel(std::string_view source = kChatMl)
      : path(folder_with_template(folder, source)) {}

  [[nodiscard]] Outcome chat(const std::vector<std::string>& flags, std::string_view input) const {
    std::vector<std::string> arguments = {"chat", path, "--seed", "1", "--max-tokens", "12"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return run_forge(arguments, input);
  }
};

/// The number before a word on each line of --verbose.
std::vector<int> counts(const Outcome& outcome, const std::string& what) {
  std::vector<int> numbers;
  for (const std::string& line : outcome.err_lines()) {
    const size_t at = line.find(what);
    if (line.find(" generated (") == std::string::npos || at == std::string::npos) continue;
    const size_t begin = line.find_last_of(" ", at - 2) + 1;
    numbers.push_back(std::stoi(line.substr(begin)));
  }
  return numbers;
}

bool has_line(const Outcome& outcome, std::string_view part) {
  const auto lines = outcome.err_lines();
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

size_t n_lines(std::string_view text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST(ChatPipe, AnswersAndEnds) {
  const TalkingModel model;
  const Outcome outcome = model.chat({"-q"}, "hi");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_GT(outcome.out.size(), 5u);
  EXPECT_TRUE(outcome.out.ends_with('\n'));
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out.find('\x1b'), std::string::npos);
  EXPECT_EQ(model.chat({"-q"}, "").out, "");
}

TEST(ChatPipe, TheSameSeedGivesTheSameConversation) {
  const TalkingModel model;
  const std::string input = "one\ntwo\n";
  EXPECT_EQ(model.chat({}, input).out, model.chat({}, input).out);
}

TEST(ChatPipe, AConversationIsNotComputedAgain) {
  const TalkingModel model;
  const Outcome outcome =
      model.chat({"--verbose", "--system", "You are a story teller who tells of cats and dogs."},
                 "one\ntwo\nthree\nfour\nfive\n");
  const std::vector<int> computed = counts(outcome, "prompt tokens computed");
  const std::vector<int> cached = counts(outcome, "from the cache");
  ASSERT_EQ(computed.size(), 5u) << outcome.err;
  ASSERT_EQ(cached.size(), 5u) << outcome.err;
  for (size_t turn = 1; turn < computed.size(); ++turn) {
    // What is new: a message, the marks around it, and what had not filled a block of 16.
    EXPECT_LE(computed[turn], 80) << outcome.err;
    EXPECT_GE(cached[turn], cached[turn - 1] + 16) << outcome.err;
  }
  EXPECT_GT(cached[4], computed[0]) << outcome.err;
}

TEST(ChatPipe, TheModelSeesTheTurnsBefore) {
  const TalkingModel model;
  const std::vector<std::string> flags = {"--temperature", "0"};
  EXPECT_NE(model.chat(flags, "Tom had a dog.\nWho?\n").out.find('\n'), std::string::npos);
  const std::string after_one = model.chat(flags, "Tom had a dog.\n/clear\nWho?\n").out;
  const std::string after_other = model.chat(flags, "A cat sat.\n/clear\nWho?\n").out;
  const auto last_line = [](const std::string& out) {
    return out.substr(out.rfind('\n', out.size() - 2) + 1);
  };
  EXPECT_EQ(last_line(after_one), last_line(after_other));
  EXPECT_NE(last_line(model.chat(flags, "Tom had a dog.\nWho?\n").out), last_line(after_one));
}

TEST(ChatPipe, CommandsAreNotMessages) {
  const TalkingModel model;
  const Outcome commands = model.chat({}, "/help\n/stats\n/set\n/system\n/model\n");
  EXPECT_EQ(commands.exit_code, 0) << commands.err;
  EXPECT_EQ(commands.out, "");
  EXPECT_TRUE(has_line(commands, "/regen"));
  EXPECT_TRUE(has_line(commands, "temperature"));
  const Outcome literal = model.chat({}, "\"\"\"/help\n\"\"\"\n//help\n");
  EXPECT_EQ(literal.exit_code, 0);
  EXPECT_GE(n_lines(literal.out), 2u);
  EXPECT_FALSE(has_line(literal, "/regen"));
}

TEST(ChatPipe, MistakesAreOneLineAndCodeOne) {
  const TalkingModel model;
  const auto expect = [&](std::string_view input, std::string_view error) {
    const Outcome outcome = model.chat({"-q"}, input);
    EXPECT_EQ(outcome.exit_code, 1) << input;
    EXPECT_EQ(outcome.err_lines().size(), 1u) << outcome.err;
    EXPECT_TRUE(has_line(outcome, error)) << outcome.err;
  };
  expect("/sav x\n", "/sav is no command: did you mean /save?");
  expect("/set temprature 1\n", "did you mean temperature?");
  expect("/set temperature hot\n", "temperature hot: expected a number");
  expect("/set think on\n", "has no switch for it");
  expect("/regen\n", "no message to answer again");
  expect("/undo\n", "nothing to take back");
  expect("/load /no/such/file\n", "/no/such/file");
  expect("caf\xe9\n", "not valid UTF-8");
  EXPECT_GT(model.chat({"-q"}, "/sav x\nhello\n").out.size(), 5u) << "the rest is answered";
}

TEST(ChatPipe, SaveUndoRegenAndLoad) {
  const TalkingModel model;
  const std::string file = model.folder.path("talk.json");
  const Outcome saved = model.chat({"--system", "Be brief."},
                                   "one\ntwo\n/undo\n/regen\n/set top_k 7\n/save " + file + "\n");
  EXPECT_EQ(saved.exit_code, 0) << saved.err;
  const auto document = json::Document::load(file);
  ASSERT_TRUE(document.ok()) << document.error().message;
  const json::Value messages = document->root().find("messages");
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(messages.at(0).find("content").as_string(), "Be brief.");
  EXPECT_EQ(messages.at(1).find("content").as_string(), "one");
  EXPECT_EQ(messages.at(2).find("finish_reason").as_string(), "length");
  EXPECT_EQ(document->root().find("settings").find("top_k").as_int(), 7);

  const Outcome loaded = model.chat({"--load", file}, "/set top_k\nthree\n/stats\n");
  EXPECT_EQ(loaded.exit_code, 0) << loaded.err;
  EXPECT_TRUE(has_line(loaded, "3 messages"));
  EXPECT_TRUE(has_line(loaded, "top_k 7"));
}

TEST(ChatPipe, ANewAnswerIsAnotherOne) {
  const TalkingModel model;
  const Outcome outcome = model.chat({"--verbose"}, "one\n/regen\n");
  const size_t half = outcome.out.find('\n', 1);
  EXPECT_NE(outcome.out.substr(0, half), outcome.out.substr(half + 1));
  ASSERT_EQ(counts(outcome, "prompt tokens computed").size(), 2u);
  EXPECT_LE(counts(outcome, "prompt tokens computed")[1], 16) << outcome.err;
}

TEST(ChatPipe, LogitBiasIsSavedForItsModelOnly) {
  const TalkingModel model;
  const std::string file = model.folder.path("talk.json");
  const Outcome saved = model.chat({"--logit-bias", "7=-2.5"}, "/save " + file + "\n");
  EXPECT_EQ(saved.exit_code, 0) << saved.err;
  const Outcome loaded = model.chat({"--load", file}, "/set logit_bias\n");
  EXPECT_TRUE(has_line(loaded, "forge: logit_bias 7=-2.5")) << loaded.err;
  const std::string other = model.folder.write(
      "other.json",
      R"({"model": "another", "settings": {"logit_bias": "999999=1"}, "messages": []})");
  const Outcome left_out = model.chat({"--load", other}, "/set logit_bias\n");
  EXPECT_EQ(left_out.exit_code, 0) << left_out.err;
  EXPECT_TRUE(has_line(left_out, "its logit_bias is left out")) << left_out.err;
  EXPECT_TRUE(has_line(left_out, "forge: logit_bias off")) << left_out.err;
  EXPECT_EQ(model.chat({"--logit-bias", "999999=1"}, "").exit_code, 2);
}

TEST(ChatPipe, ASignalIsNoSuccess) {
  const TemporaryFolder folder;
  const std::string model = add_template(endless_stories_folder(folder), kChatMl);
  const std::string in = folder.write("in", "one\ntwo\n");
  const std::string out = folder.path("out");
  const Outcome outcome = run_shell("$FORGE chat " + model + " -q --ctx 100000 < " + in + " > " +
                                    out + " & p=$!; while kill -0 $p && ! [ -s " + out +
                                    " ]; do sleep 0.01; done; kill -TERM $p; wait $p");
  EXPECT_EQ(outcome.exit_code, 130) << outcome.err;
}

TEST(ChatPipe, AFullContextIsSaid) {
  const TalkingModel model;
  std::string input;
  for (int i = 0; i < 8; ++i) input += "tell me more of it\n";
  const Outcome outcome = model.chat({"--ctx", "160", "--verbose"}, input);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(has_line(outcome, "the context is full (160 tokens): the model no longer sees"));
  EXPECT_EQ(counts(outcome, "prompt tokens computed").size(), 8u);
  std::string large;
  for (int i = 0; i < 300; ++i) large += "word ";
  const Outcome refused = model.chat({"--ctx", "160", "-q"}, large + "\n");
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_TRUE(has_line(refused, "the context has 160: shorten it")) << refused.err;
}

TEST(ChatPipe, ThoughtsStayOutUnlessAskedFor) {
  // The prompt opens the thoughts and the model never closes them.
  const TalkingModel model("{{ messages[-1].content }}<think>{# </think> #}");
  const Outcome hidden = model.chat({}, "one\n");
  EXPECT_EQ(hidden.exit_code, 0);
  EXPECT_EQ(hidden.out, "");
  EXPECT_TRUE(has_line(hidden, "thoughts are left out (--thoughts show)"));
  const Outcome shown = model.chat({"--thoughts", "show"}, "one\n");
  EXPECT_TRUE(shown.out.starts_with("[thinking]\n")) << shown.out;
  EXPECT_TRUE(shown.out.ends_with("\n[/thinking]\n")) << shown.out;
}

TEST(ChatPipe, AModelWithoutATemplateContinuesText) {
  const Outcome outcome = run_forge({"chat", "--seed", "1"}, "Once upon a time\n");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(has_line(outcome, "what you type is continued, not answered"));
  EXPECT_GT(outcome.out.size(), 100u);
  const Outcome system = run_forge({"chat", "--system", "Be brief."}, "x\n");
  EXPECT_EQ(system.exit_code, 2);
  EXPECT_TRUE(has_line(system, "has no chat template"));
}

TEST(ChatPipe, AnotherModelGoesOnWithTheConversation) {
  const TalkingModel model;
  const Outcome outcome =
      model.chat({}, "one\n/model /no/such/model\ntwo\n/model " + model.path + "\nthree\n");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(has_line(outcome, "still with")) << outcome.err;
  EXPECT_TRUE(has_line(outcome, "going on with")) << outcome.err;
  EXPECT_GE(n_lines(outcome.out), 3u);
}

TEST(ChatPipe, ADeviceThatIsNotThereIsRefused) {
  const Outcome outcome = run_program({FORGE_FAKE_CUDA_BINARY, "chat", "--device", "cuda"}, "hi\n",
                                      {{"FORGE_FAKE_CUDA", "driver=none"}});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(has_line(outcome, "--device cuda: no NVIDIA driver: none"));
  const Outcome automatic = run_program({FORGE_FAKE_CUDA_BINARY, "chat", "-n", "2"}, "hi\n",
                                        {{"FORGE_FAKE_CUDA", "driver=none"}});
  EXPECT_EQ(automatic.exit_code, 0);
  EXPECT_TRUE(has_line(automatic, "device cpu (auto: no NVIDIA driver: none)"));
}

}  // namespace
}  // namespace forge::cli
