// Trusts: docs/chat.md. The program on a terminal: keys, Ctrl-C, pasting, colours, history.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "tests/cli/chat_model_folder.h"
#include "tests/cli/screen.h"
#include "tests/cli/terminal_program.h"

namespace forge::cli {
namespace {

constexpr std::string_view kCtrlC = "\x03";
constexpr std::string_view kCtrlD = "\x04";
constexpr std::string_view kUp = "\x1b[A";

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

/// A chat with a model whose answers never end, and a home of its own.
class ChatTerminal : public ::testing::Test {
 protected:
  TemporaryFolder folder_;
  std::string model_ = add_template(endless_stories_folder(folder_), kChatMl);

  [[nodiscard]] std::vector<Environment> environment(std::vector<Environment> more = {}) const {
    more.push_back({"XDG_STATE_HOME", folder_.path("state")});
    more.push_back({"HOME", folder_.path("home")});
    return more;
  }
  [[nodiscard]] std::vector<std::string> arguments(std::vector<std::string> more = {}) const {
    std::vector<std::string> all = {"chat", model_, "--seed", "1", "--ctx", "100000"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  [[nodiscard]] std::string history() const {
    const std::string path = folder_.path("state/forge/chat_history");
    return std::filesystem::exists(path) ? read_file(path) : "";
  }
};

TEST_F(ChatTerminal, CtrlCStopsTheAnswerAndNotTheProgram) {
  TerminalProgram program(arguments({"--verbose"}), environment());
  ASSERT_TRUE(program.see(">>> "));
  program.type("Tell me a story.\r");
  ASSERT_TRUE(program.see("\n"));
  ASSERT_TRUE(program.see(" the "));
  program.type(kCtrlC);
  ASSERT_TRUE(program.see("stopped; what was said stays"));
  ASSERT_TRUE(program.see("generated (interrupted)"));
  ASSERT_TRUE(program.see(">>> "));
  const std::string file = folder_.path("talk.json");
  program.type("/save " + file + "\r");
  ASSERT_TRUE(program.see("2 messages saved"));
  ASSERT_TRUE(program.see(">>> "));
  EXPECT_NE(read_file(file).find("\"finish_reason\": \"cancelled\""), std::string::npos);
  EXPECT_NE(read_file(file).find(" the "), std::string::npos);
  program.type(kCtrlD);
  EXPECT_EQ(program.wait(), 0);
}

TEST_F(ChatTerminal, ASecondCtrlCAtAnEmptyPromptLeaves) {
  TerminalProgram program(arguments(), environment());
  ASSERT_TRUE(program.see(">>> "));
  program.type("half a line");
  ASSERT_TRUE(program.see("half a line"));
  program.type(kCtrlC);
  ASSERT_TRUE(program.see(">>> "));
  program.type(kCtrlC);
  ASSERT_TRUE(program.see("Ctrl-C once more or Ctrl-D to leave"));
  ASSERT_TRUE(program.see(">>> "));
  program.type(kCtrlC);
  EXPECT_EQ(program.wait(), 0);
  EXPECT_EQ(history(), "") << "what was not sent is not kept";
}

TEST_F(ChatTerminal, CtrlDInAnAnswerLeavesAfterIt) {
  for (const char* term : {"xterm", "dumb"}) {
    TerminalProgram program(arguments({"-n", "400"}), environment({{"TERM", term}}));
    ASSERT_TRUE(program.see(">>> "));
    program.type("Tell me a story.\r");
    ASSERT_TRUE(program.see(" the "));
    program.type(kCtrlD);
    ASSERT_TRUE(program.see("cut at max_tokens 400"));
    EXPECT_EQ(program.wait(), 0);
  }
}

TEST_F(ChatTerminal, CtrlDTwiceOrWithCtrlCStopsTheAnswerAndLeaves) {
  constexpr std::pair<const char*, std::string_view> kCases[] = {
      {"xterm", "\x04\x04"}, {"xterm", "\x04\x03"}, {"dumb", "\x04\x04"}};
  for (const auto& [term, keys] : kCases) {
    TerminalProgram program(arguments(), environment({{"TERM", term}}));
    ASSERT_TRUE(program.see(">>> "));
    program.type("Tell me a story.\r");
    ASSERT_TRUE(program.see(" the "));
    program.type(keys);
    ASSERT_TRUE(program.see("stopped; what was said stays"));
    EXPECT_EQ(program.wait(), 0);
  }
}

TEST_F(ChatTerminal, WhatIsTypedIntoAnAnswerWaitsForThePrompt) {
  TerminalProgram program(arguments(), environment());
  ASSERT_TRUE(program.see(">>> "));
  program.type("Tell me a story.\r");
  ASSERT_TRUE(program.see(" the "));
  program.type("/stats gr\xc3\xbc\xc3\x9f dich\x04");  // in a line Ctrl-D is no end
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(program.see(" the "));
  program.type(kCtrlC);
  ASSERT_TRUE(program.see("stopped; what was said stays"));
  ASSERT_TRUE(program.see(">>> "));
  ASSERT_TRUE(program.see("dich"));
  EXPECT_GT(program.screen().find("dich"), program.screen().find("stopped;")) << program.screen();
  program.type("\r");
  ASSERT_TRUE(program.see("/stats takes nothing after it"));
  ASSERT_TRUE(program.see(">>> "));
  program.type(kCtrlD);
  EXPECT_EQ(program.wait(), 0);
}

TEST_F(ChatTerminal, EditingGoesOnAfterAStop) {
  TerminalProgram program(arguments({"-n", "3"}), environment());
  const auto stop_and_continue = [&] {
    program.signal(SIGSTOP);
    program.set_shell_modes();
    program.signal(SIGCONT);
  };
  ASSERT_TRUE(program.see(">>> "));
  stop_and_continue();
  ASSERT_TRUE(program.see("\x1b[?2004h"));
  program.type("x\x01/stats\x0b\r");  // to its beginning, and away with the rest
  ASSERT_TRUE(program.see("messages     0"));
  ASSERT_TRUE(program.see(">>> "));
  program.type(kCtrlD);
  EXPECT_EQ(program.wait(), 0);
}

TEST_F(ChatTerminal, SignalsFromOutsideEndItInGoodOrder) {
  for (const int number : {SIGTERM, SIGHUP}) {
    TerminalProgram program(arguments(), environment());
    ASSERT_TRUE(program.see(">>> "));
    program.signal(number);
    EXPECT_EQ(program.wait(), 0);
  }
}

TEST_F(ChatTerminal, PastedLinesAreOneMessage) {
  TerminalProgram program(arguments({"-n", "3"}), environment());
  ASSERT_TRUE(program.see(">>> "));
  program.type("\x1b[200~/exit\rtwo\rthree\x1b[201~");
  ASSERT_TRUE(program.see("three"));
  program.type("\r");
  ASSERT_TRUE(program.see("cut at max_tokens 3"));
  ASSERT_TRUE(program.see(">>> "));
  program.type("/stats\r");
  ASSERT_TRUE(program.see("messages     2"));
  ASSERT_TRUE(program.see(">>> "));
  program.type(kCtrlD);
  EXPECT_EQ(program.wait(), 0);
  EXPECT_NE(history().find("\"/exit\\ntwo\\nthree\""), std::string::npos) << history();
}

TEST_F(ChatTerminal, HistoryIsKeptAcrossRuns) {
  {
    TerminalProgram program(arguments({"-n", "3"}), environment());
    ASSERT_TRUE(program.see(">>> "));
    program.type("gr\xc3\xbc\xc3\x9f dich\r");
    ASSERT_TRUE(program.see("cut at"));
    ASSERT_TRUE(program.see(">>> "));
    program.type(kCtrlD);
    EXPECT_EQ(program.wait(), 0);
  }
  TerminalProgram program(arguments({"-n", "3"}), environment());
  ASSERT_TRUE(program.see(">>> "));
  program.type(kUp);
  ASSERT_TRUE(program.see("gr\xc3\xbc\xc3\x9f dich"));
  program.type(kCtrlC);
  ASSERT_TRUE(program.see(">>> "));
  program.type(kCtrlD);
  EXPECT_EQ(program.wait(), 0);
  const std::string before = history();
  TerminalProgram without(arguments({"-n", "3", "--no-history"}), environment());
  ASSERT_TRUE(without.see(">>> "));
  without.type("secret\r");
  ASSERT_TRUE(without.see("cut at"));
  ASSERT_TRUE(without.see(">>> "));
  without.type(kCtrlD);
  EXPECT_EQ(without.wait(), 0);
  EXPECT_EQ(history(), before);
}

TEST_F(ChatTerminal, ThoughtsAreDim) {
  const std::string thinking = "{{ messages[-1].content }}<think>{# </think> #}";
  TemporaryFolder other;
  const std::string model = folder_with_template(other, thinking);
  const auto screen = [&](const std::vector<Environment>& more) {
    TerminalProgram program({"chat", model, "--seed", "1", "-n", "8"}, environment(more));
    EXPECT_TRUE(program.see(">>> "));
    program.type("Tom\r");
    EXPECT_TRUE(program.see("cut at"));
    EXPECT_TRUE(program.see(">>> "));
    program.type("/exit\r");
    EXPECT_EQ(program.wait(), 0);
    return program.screen();
  };
  const std::string color = screen({});
  EXPECT_NE(color.find("\x1b[2m"), std::string::npos) << color;
  EXPECT_LT(color.find("\x1b[2m"), color.find("\x1b[0m")) << color;
  const std::string plain = screen({{"NO_COLOR", "1"}});
  EXPECT_EQ(plain.find("\x1b[2m"), std::string::npos) << plain;
  EXPECT_NE(plain.find("[thinking]"), std::string::npos) << plain;
  EXPECT_EQ(screen({{"TERM", "dumb"}}).find('\x1b'), std::string::npos);
}

TEST_F(ChatTerminal, AnswersAreWrappedBetweenWords) {
  const std::vector<std::string> flags = arguments({"-n", "150"});
  const Outcome piped = run_forge(flags, "Tom\n");
  ASSERT_EQ(piped.exit_code, 0) << piped.err;
  for (const int n_columns : {80, 40}) {
    TerminalProgram program(flags, environment(), n_columns);
    ASSERT_TRUE(program.see(">>> "));
    program.type("Tom\r");
    ASSERT_TRUE(program.see("Tom"));
    ASSERT_TRUE(program.see("\n"));
    ASSERT_TRUE(program.see("forge: the answer was cut"));
    program.type(kCtrlD);
    EXPECT_EQ(program.wait(), 0);
    const size_t end = program.screen().find("forge: the answer was cut");
    const size_t begin = program.screen().rfind("\x1b[?2004l", end);
    const std::string answer = program.screen().substr(begin + 8, end - begin - 8);
    Screen screen(n_columns);
    screen.write(answer);
    std::string words;
    for (const std::string& row : screen.rows()) {
      EXPECT_LT(row.size(), static_cast<size_t>(n_columns)) << row;
      words += row + " ";
    }
    EXPECT_GE(screen.rows().size(), piped.out.size() / static_cast<size_t>(n_columns));
    EXPECT_EQ(words_of(words), words_of(piped.out));
  }
  for (const auto& [flag, term] :
       {std::pair("--no-wrap", "xterm"), std::pair("--verbose", "dumb")}) {
    TerminalProgram plain(arguments({"-n", "150", flag}), environment({{"TERM", term}}), 40);
    ASSERT_TRUE(plain.see(">>> "));
    plain.type("Tom\r");
    ASSERT_TRUE(plain.see("cut at"));
    std::string expected;
    for (const char c : piped.out) expected += c == '\n' ? std::string("\r\n") : std::string(1, c);
    EXPECT_NE(plain.screen().find(expected), std::string::npos) << plain.screen();
  }
}

TEST_F(ChatTerminal, WhatAModelSaysCannotDriveTheTerminal) {
  // A saved system message with an escape sequence in it stands for any text from outside.
  const std::string file = folder_.write(
      "talk.json", R"({"messages":[{"role":"system","content":"\u001b]0;mine\u0007\u009b2J"}]})");
  TerminalProgram program(arguments({"--load", file}), environment());
  ASSERT_TRUE(program.see(">>> "));
  program.type("/system\r");
  ASSERT_TRUE(program.see("\\x1b]0;mine\\x07\\x9b2J"));
  ASSERT_TRUE(program.see(">>> "));
  program.type(kCtrlD);
  EXPECT_EQ(program.wait(), 0);
  EXPECT_EQ(program.screen().find("\x1b]0;"), std::string::npos);
}

TEST_F(ChatTerminal, ReadsWellOnFortyColumns) {
  TerminalProgram program(arguments(), environment(), 40);
  ASSERT_TRUE(program.see(">>> "));
  program.type("/help\r");
  ASSERT_TRUE(program.see("Stops an answer, or"));
  ASSERT_TRUE(program.see(">>> "));
  program.type(kCtrlD);
  EXPECT_EQ(program.wait(), 0);
  const std::string help = program.screen().substr(program.screen().find("/help\r"));
  for (size_t at = help.find("\n  /system"); at < help.size();) {
    const size_t end = std::min(help.find('\n', at + 1), help.size());
    if (help.substr(at, end - at).find('\x1b') != std::string::npos) break;
    EXPECT_LE(end - at, 42u) << help.substr(at, end - at);
    at = end;
  }
}

}  // namespace
}  // namespace forge::cli
