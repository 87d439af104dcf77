// Trusts: forge generate for texts; else what the examples say of themselves.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "forge/base/json.h"
#include "tests/cli/program.h"

namespace forge::cli {
namespace {

TEST(Examples, GenerateWritesTheTextOfTheCommand) {
  const Outcome example = run_shell(FORGE_EXAMPLES "/generate bundled 'The old cat'");
  ASSERT_EQ(example.exit_code, 0) << example.err;
  const Outcome command = run_forge({"generate", "--prompt", "The old cat", "--max-tokens", "60",
                                     "--temperature", "0.8", "--seed", "1", "--json"});
  const auto document = json::Document::parse(command.out, "stdout");
  ASSERT_TRUE(document.ok()) << command.err;
  const std::string text(document->root().find("text").as_string().value_or(""));
  ASSERT_GT(text.size(), 20u);
  EXPECT_EQ(example.out, "The old cat" + text + "\n");
  EXPECT_NE(example.err.find("log-probability -"), std::string::npos) << example.err;
}

TEST(Examples, ManyRequestsAreEachAnsweredAsAlone) {
  const Outcome example = run_shell(FORGE_EXAMPLES "/many_requests");
  ASSERT_EQ(example.exit_code, 0) << example.err;
  std::istringstream lines(example.out);
  std::string line;
  std::getline(lines, line);
  EXPECT_TRUE(line.starts_with("refused: ") && line.find("128") != std::string::npos) << line;
  for (int i = 0; i < 11; ++i) {
    std::getline(lines, line);
    EXPECT_TRUE(line.starts_with(std::to_string(i) + ": ")) << line;
    EXPECT_TRUE(line.find("[stop string, ") != std::string::npos ||
                line.find("[max tokens, 40 tokens]") != std::string::npos)
        << line;
    if (i != 1) continue;
    const Outcome alone =
        run_forge({"generate", "--prompt", "One day, a bird", "--max-tokens", "40", "--temperature",
                   "1", "--seed", "1", "--stop", ".", "--json"});
    const auto document = json::Document::parse(alone.out, "stdout");
    ASSERT_TRUE(document.ok()) << alone.err;
    const std::string text(document->root().find("text").as_string().value_or("none"));
    EXPECT_TRUE(line.starts_with("1: " + text + " [")) << line << "\nexpected " << text;
  }
  std::getline(lines, line);
  // Cancelled at once; but a machine that pauses at the wrong moment lets it run.
  EXPECT_TRUE(line.starts_with("11: ") && line.find(" tokens]") != std::string::npos) << line;
  int n_tokens = 0;
  int n_steps = 0;
  std::string word;
  lines >> n_tokens >> word >> word >> n_steps;
  EXPECT_GE(n_tokens, 11);
  EXPECT_LT(n_steps, n_tokens) << example.out;  // they ran together
}

TEST(Examples, WhatCannotBeLoadedIsOneLine) {
  for (const std::string name : {"generate", "many_requests"}) {
    const Outcome outcome = run_shell(FORGE_EXAMPLES "/" + name + " /nonexistent");
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_EQ(outcome.out, "");
    ASSERT_EQ(outcome.err_lines().size(), 1u) << outcome.err;
    EXPECT_NE(outcome.err.find("/nonexistent"), std::string::npos) << outcome.err;
  }
}

// Whoever copies an example has include/forge and nothing else.
TEST(Examples, IncludePublicHeadersOnly) {
  int n_includes = 0;
  for (const auto& file : std::filesystem::directory_iterator(FORGE_SOURCE_DIR "/examples")) {
    if (file.path().extension() != ".cpp") continue;
    std::ifstream source(file.path());
    std::string line;
    while (std::getline(source, line)) {
      constexpr std::string_view kInclude = "#include \"";
      if (!line.starts_with(kInclude)) continue;
      ++n_includes;
      const std::string name = line.substr(kInclude.size(), line.size() - kInclude.size() - 1);
      EXPECT_TRUE(std::filesystem::exists(FORGE_SOURCE_DIR "/include/" + name))
          << file.path() << ": " << line;
    }
  }
  EXPECT_GE(n_includes, 4);
}

}  // namespace
}  // namespace forge::cli
