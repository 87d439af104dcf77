// Reference: what a person needs to find in --help, and the conventions of command-line programs.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "forge/base/json.h"
#include "tests/cli/program.h"
#include "tests/cli/terminal_program.h"

namespace forge::cli {
namespace {

TEST(Help, ListsTheCommands) {
  const Outcome outcome = run_forge({"--help"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.err, "");
  for (const std::string command : {"generate", "inspect", "tokenize", "perplexity", "version"}) {
    EXPECT_NE(outcome.out.find("\n  " + command + " "), std::string::npos) << command;
    const Outcome help = run_forge({command, "--help"});
    EXPECT_EQ(help.exit_code, 0) << command;
    EXPECT_EQ(help.err, "");
    EXPECT_NE(help.out.find("forge " + command), std::string::npos) << help.out;
    EXPECT_NE(help.out.find("--json"), std::string::npos) << help.out;
  }
  EXPECT_EQ(run_forge({"-h"}).out, outcome.out);
  EXPECT_EQ(run_forge({"help"}).out, outcome.out);
}

TEST(Help, EveryCommandHasSome) {
  const std::string list = run_forge({"--help"}).out;
  for (const std::string command :
       {"generate", "chat", "doctor", "serve", "batch", "inspect", "tokenize", "perplexity",
        "quantize", "verify", "compare-quality", "bench", "make-random", "version"}) {
    EXPECT_NE(list.find("\n  " + command + " "), std::string::npos) << command;
    const Outcome help = run_forge({command, "--help"});
    EXPECT_EQ(help.exit_code, 0) << command;
    EXPECT_EQ(help.out.find("Usage: forge " + command), 0u) << help.out;
  }
  EXPECT_EQ(run_forge({"make-random", "--help"})
                .out.find("Usage: forge make-random SPEC:TYPE --output F.gguf [OPTIONS]\n"),
            0u);
}

TEST(Help, OfGenerateShowsEachOptionWithItsDefault) {
  const std::string help = run_forge({"generate", "--help"}).out;
  for (const std::string option : {"--model",
                                   "--prompt",
                                   "--prompt-file",
                                   "--max-tokens",
                                   "--temperature",
                                   "--top-p",
                                   "--top-k",
                                   "--min-p",
                                   "--typical-p",
                                   "--repetition-penalty",
                                   "--presence-penalty",
                                   "--frequency-penalty",
                                   "--logit-bias",
                                   "--seed",
                                   "--stop",
                                   "--stop-token",
                                   "--ignore-eos",
                                   "--threads",
                                   "--device",
                                   "--dtype",
                                   "--json",
                                   "--no-stream",
                                   "--raw",
                                   "--chat",
                                   "--system",
                                   "--logprobs",
                                   "--ctx",
                                   "--check-weights",
                                   "FORGE_MODEL",
                                   "FORGE_DEVICE",
                                   "Examples:"}) {
    EXPECT_NE(help.find(option), std::string::npos) << option;
  }
  EXPECT_NE(help.find("probable token [0.8]"), std::string::npos) << help;
  EXPECT_NE(help.find("Most tokens to generate [256]"), std::string::npos) << help;
  for (size_t at = 0; at < help.size();) {
    const size_t end = help.find('\n', at);
    EXPECT_LE(end - at, 80u) << help.substr(at, end - at);
    at = end + 1;
  }
}

TEST(Help, FitsTheTerminal) {
  for (const int n_columns : {120, 80, 50}) {
    size_t longest = 0;
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"--help"}, {"serve", "--help"}}) {
      TerminalProgram program(arguments, {}, n_columns);
      EXPECT_EQ(program.wait(), 0);
      // Examples are not broken, since they are there to be copied.
      std::istringstream screen(program.screen().substr(0, program.screen().find("Examples:")));
      for (std::string line; std::getline(screen, line);) {
        EXPECT_LE(line.size(), static_cast<size_t>(n_columns) + 1) << line;  // and its CR
        longest = std::max(longest, line.size());
      }
    }
    EXPECT_GT(longest, static_cast<size_t>(std::min(n_columns, 96)) - 8) << "the width is used";
  }
}

TEST(Help, NotesAreBrokenBetweenWordsOnATerminal) {
  TerminalProgram program({"generate", "--prompt", "Once", "-n", "1", "--threads", "1"}, {}, 60);
  EXPECT_EQ(program.wait(), 0);
  EXPECT_NE(program.screen().find("forge: no --model and no FORGE_MODEL: using the bundled\r\n"
                                  "       model, "),
            std::string::npos)
      << program.screen();
}

TEST(Version, TellsTheBuild) {
  const Outcome outcome = run_forge({"version"});
  EXPECT_EQ(outcome.exit_code, 0);
  for (const std::string part : {"forge ", "commit", "compiler", "options", "kernels", "machine"}) {
    EXPECT_NE(outcome.out.find(part), std::string::npos) << outcome.out;
  }
  EXPECT_EQ(run_forge({"--version"}).out, outcome.out);
  const auto json = json::Document::parse(run_forge({"version", "--json"}).out, "stdout");
  ASSERT_TRUE(json.ok());
  for (const std::string_view key : {"version", "commit", "compiler", "isa", "options"}) {
    EXPECT_TRUE(json->root().find(key).is_string()) << key;
  }
}

TEST(Perplexity, TheTwoFormatsAndThePromptAgree) {
  TemporaryFolder folder;
  std::string story;
  for (int i = 0; i < 12; ++i) {
    story += "Once upon a time, there was a little dog. The dog liked to run in the park. ";
  }
  const std::string file = folder.write("story.txt", story);
  const Outcome json_run = run_forge({"perplexity", "--file", file, "--ctx", "64", "--json"});
  ASSERT_EQ(json_run.exit_code, 0) << json_run.err;
  EXPECT_EQ(json_run.err, "");
  const auto json = json::Document::parse(json_run.out, "stdout");
  ASSERT_TRUE(json.ok());
  const double perplexity = *json->root().find("perplexity").as_double();
  EXPECT_GT(perplexity, 1.0);
  EXPECT_LT(perplexity, 100.0);  // 2048 would be chance
  const int64_t n_chunks = *json->root().find("chunks").as_int();
  EXPECT_EQ(n_chunks, *json->root().find("tokens").as_int() / 64);
  EXPECT_EQ(*json->root().find("tokens_scored").as_int(), n_chunks * 31);
  const Outcome text = run_forge({"perplexity", "-f", "-", "--ctx", "64"}, story);
  EXPECT_TRUE(text.out.starts_with(fmt::format("perplexity {:.4f} +- ", perplexity))) << text.out;
  const Outcome too_short = run_forge({"perplexity", "--file", folder.write("short.txt", "Once.")});
  EXPECT_EQ(too_short.exit_code, 1);
  EXPECT_NE(too_short.err.find("fewer than one chunk of 512"), std::string::npos) << too_short.err;
}

}  // namespace
}  // namespace forge::cli
