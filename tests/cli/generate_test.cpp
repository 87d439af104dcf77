// Reference: the promises of docs/cli.md, and the program itself asked in another way.
#include <gtest/gtest.h>

#include <cmath>
#include <csignal>

#include "forge/base/json.h"
#include "tests/cli/running_program.h"
#include "tests/cli/terminal_program.h"
#include "tests/eventually.h"

namespace forge::cli {
namespace {

const std::vector<std::string> kStory = {"generate", "--prompt", "Once upon a time", "--max-tokens",
                                         "40"};

Outcome generate(const std::vector<std::string>& more, std::string_view input = "") {
  std::vector<std::string> arguments = kStory;
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_forge(arguments, input);
}

json::Document parse(const Outcome& outcome) {
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  auto document = json::Document::parse(outcome.out, "stdout");
  EXPECT_TRUE(document.ok()) << outcome.out;
  return document.ok() ? std::move(document).value()
                       : std::move(json::Document::parse("{}", "empty")).value();
}

std::string text_of(const json::Document& document) {
  return std::string(document.root().find("text").as_string().value_or("(no text)"));
}

TEST(Generate, StreamsTextAndSaysTheRestOnStderr) {
  const Outcome outcome = generate({"--seed", "1"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_GT(outcome.out.size(), 40u);
  EXPECT_TRUE(outcome.out.ends_with('\n'));
  const auto lines = outcome.err_lines();
  ASSERT_EQ(lines.size(), 3u) << outcome.err;
  EXPECT_NE(lines[0].find("using the bundled model"), std::string::npos) << lines[0];
  EXPECT_NE(lines[1].find("device cpu (auto"), std::string::npos) << lines[1];
  for (const std::string part :
       {" prompt + ", " generated tokens", "first token after", "tok/s", "seed 1"}) {
    EXPECT_NE(lines[2].find(part), std::string::npos) << lines[2];
  }
}

TEST(Generate, TheBundledModelIsTheSameInEveryForm) {
  const std::string bundled = generate({"--temperature", "0"}).out;
  EXPECT_EQ(generate({"--temperature", "0", "--model", "bundled"}).out, bundled);
  EXPECT_EQ(generate({"--temperature", "0", "--model", stories_gguf()}).out, bundled);
  EXPECT_EQ(run_forge({"generate", "--prompt", "Once upon a time", "--max-tokens", "40",
                       "--temperature", "0"},
                      "", {{"FORGE_MODEL", stories_gguf()}})
                .out,
            bundled);
}

TEST(Generate, SeedsRepeatAndTheRandomOneIsPrinted) {
  const Outcome first = generate({"--json"});
  const json::Document json = parse(first);
  const auto seed = json.root().find("seed").as_int();
  ASSERT_TRUE(seed);
  EXPECT_NE(first.err.find("seed " + std::to_string(*seed) + "\n"), std::string::npos) << first.err;
  const Outcome again = generate({"--json", "--seed", std::to_string(*seed), "--threads", "1"});
  EXPECT_EQ(text_of(parse(again)), text_of(json));
  const Outcome streamed = generate({"--seed", std::to_string(*seed)});
  const Outcome whole = generate({"--seed", std::to_string(*seed), "--no-stream"});
  EXPECT_EQ(streamed.out, whole.out);
  EXPECT_EQ(streamed.out, text_of(json) + (text_of(json).ends_with('\n') ? "" : "\n"));
  EXPECT_NE(text_of(parse(generate({"--json", "--seed", "1"}))),
            text_of(parse(generate({"--json", "--seed", "2"}))));
}

TEST(Generate, PromptsFromFlagFileAndStdinAreOne) {
  TemporaryFolder folder;
  const std::string file = folder.write("prompt.txt", "Once upon a time\n");
  const std::vector<std::string> rest = {"--max-tokens", "8", "--temperature", "0"};
  const auto with = [&](std::vector<std::string> arguments, std::string_view input) {
    arguments.insert(arguments.begin(), "generate");
    arguments.insert(arguments.end(), rest.begin(), rest.end());
    return run_forge(arguments, input).out;
  };
  const std::string expected = with({"--prompt", "Once upon a time"}, "");
  EXPECT_GT(expected.size(), 5u);
  EXPECT_EQ(with({"--prompt-file", file}, ""), expected);
  EXPECT_EQ(with({"--prompt-file", "-"}, "Once upon a time"), expected);
  EXPECT_EQ(with({}, "Once upon a time\n"), expected);
  EXPECT_EQ(with({"--prompt", "Once upon a time", "--echo"}, ""), "Once upon a time" + expected);
  EXPECT_EQ(with({"--prompt", "Once upon a time", "--echo", "--no-stream"}, ""),
            "Once upon a time" + expected);
}

TEST(Generate, JsonHasWhatTheManualLists) {
  const json::Document document = parse(generate({"--json", "--temperature", "0"}));
  const json::Value root = document.root();
  const json::Value usage = root.find("usage");
  EXPECT_EQ(usage.find("completion_tokens").as_int(), 40);
  EXPECT_EQ(root.find("ids").size(), 40u);
  EXPECT_EQ(usage.find("prompt_tokens").as_int(),
            static_cast<int64_t>(root.find("prompt_ids").size()));
  EXPECT_EQ(root.find("finish_reason").as_string(), "length");
  EXPECT_EQ(root.find("finish_detail").as_string(), "max tokens");
  EXPECT_EQ(root.find("prompt").as_string(), "Once upon a time");
  EXPECT_TRUE(root.find("stop_string").is_null());
  EXPECT_GT(root.find("timings").find("decode_tokens_per_s").as_double().value_or(0), 0.0);
  EXPECT_TRUE(root.find("logprobs").is_missing());
}

TEST(Generate, StopStringsCutAcrossTokenBorders) {
  const std::string text = text_of(parse(generate({"--json", "--temperature", "0"})));
  ASSERT_GT(text.size(), 30u);
  // Every place of the text as a stop string of 5 bytes: most cross a border of tokens.
  for (size_t at = 3; at + 5 < text.size() && at < 24; at += 4) {
    const std::string stop = text.substr(at, 5);
    const json::Document document =
        parse(generate({"--json", "--temperature", "0", "--stop", stop}));
    const json::Value root = document.root();
    EXPECT_EQ(text_of(document), text.substr(0, text.find(stop)));
    EXPECT_EQ(root.find("finish_reason").as_string(), "stop");
    EXPECT_EQ(root.find("finish_detail").as_string(), "stop string");
    EXPECT_EQ(root.find("stop_string").as_string(), stop);
    EXPECT_EQ(generate({"--temperature", "0", "--stop", stop, "--stop", "never appears"}).out,
              text.substr(0, text.find(stop)) + "\n");
  }
}

TEST(Generate, StopTokensEndTheText) {
  const json::Document whole = parse(generate({"--json", "--temperature", "0"}));
  const int64_t third = *whole.root().find("ids").at(2).as_int();
  const json::Document cut =
      parse(generate({"--json", "--temperature", "0", "--stop-token", std::to_string(third)}));
  EXPECT_EQ(cut.root().find("finish_detail").as_string(), "stop token");
  EXPECT_LE(cut.root().find("ids").size(), 3u);
  EXPECT_TRUE(text_of(whole).starts_with(text_of(cut)));
}

TEST(Generate, EndsAtEndOfTextUnlessToldToIgnoreIt) {
  // Bias makes the end token certain.
  const std::vector<std::string> end = {"--json", "--temperature", "0", "--logit-bias", "0=100"};
  const json::Document ended = parse(generate(end));
  EXPECT_EQ(ended.root().find("finish_detail").as_string(), "end of text");
  EXPECT_EQ(ended.root().find("ids").size(), 1u);
  EXPECT_EQ(text_of(ended), "");
  std::vector<std::string> ignored = end;
  ignored.push_back("--ignore-eos");
  const json::Document went_on = parse(generate(ignored));
  EXPECT_EQ(went_on.root().find("finish_detail").as_string(), "max tokens");
  EXPECT_EQ(went_on.root().find("ids").size(), 40u);
  EXPECT_EQ(text_of(went_on), "");  // special tokens leave no text
}

TEST(Generate, TheContextIsALimitToo) {
  const json::Document document = parse(generate({"--json", "--temperature", "0", "--ctx", "16"}));
  const json::Value root = document.root();
  EXPECT_EQ(root.find("finish_detail").as_string(), "context full");
  EXPECT_EQ(root.find("usage").find("total_tokens").as_int(), 16);
}

TEST(Generate, LogprobsAreNormalisedAndAgreeWithTheTokens) {
  const json::Document document =
      parse(generate({"--temperature", "0", "--logprobs", "4096", "--prompt-logprobs"}));
  const json::Value root = document.root();
  const json::Value logprobs = root.find("logprobs");
  ASSERT_EQ(logprobs.size(), 40u);
  for (size_t i = 0; i < logprobs.size(); ++i) {
    const json::Value entry = logprobs.at(i);
    EXPECT_EQ(entry.find("id").as_int(), root.find("ids").at(i).as_int());
    // Greedy: the chosen token is the most probable one, and its piece is not empty.
    EXPECT_EQ(entry.find("top").at(0).find("id").as_int(), entry.find("id").as_int());
    EXPECT_EQ(entry.find("top").at(0).find("logprob").as_double(),
              entry.find("logprob").as_double());
    double sum = 0.0;
    for (size_t t = 0; t < entry.find("top").size(); ++t) {
      sum += std::exp(*entry.find("top").at(t).find("logprob").as_double());
    }
    EXPECT_NEAR(sum, 1.0, 1e-9);  // 4096 is more than the vocabulary
  }
  const json::Value prompt = root.find("prompt_logprobs");
  ASSERT_EQ(prompt.size(), root.find("prompt_ids").size());
  EXPECT_TRUE(prompt.at(0).is_null());
  for (size_t i = 1; i < prompt.size(); ++i) {
    EXPECT_EQ(prompt.at(i).find("id").as_int(), root.find("prompt_ids").at(i).as_int());
    EXPECT_LT(*prompt.at(i).find("logprob").as_double(), 0.0);
  }
}

TEST(Generate, PromptLogprobsAreThoseOfGeneration) {
  // The text of a greedy run, scored as a prompt, gives the same log-probabilities bit for bit.
  const json::Document generated = parse(generate({"--temperature", "0", "--logprobs", "0"}));
  const std::string text = "Once upon a time" + text_of(generated);
  const json::Document scored = parse(run_forge(
      {"generate", "--prompt", text, "--max-tokens", "0", "--logprobs", "0", "--prompt-logprobs"}));
  const json::Value ids = generated.root().find("ids");
  const json::Value prompt = scored.root().find("prompt_logprobs");
  const size_t n_prompt = generated.root().find("prompt_ids").size();
  ASSERT_EQ(prompt.size(), n_prompt + ids.size()) << "the text is tokenized otherwise as a whole";
  for (size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(prompt.at(n_prompt + i).find("logprob").as_double(),
              generated.root().find("logprobs").at(i).find("logprob").as_double());
  }
}

TEST(Generate, QuietSaysNothing) { EXPECT_EQ(generate({"--quiet"}).err, ""); }

TEST(Generate, ZeroTokensGiveNoText) {
  const Outcome outcome =
      run_forge({"generate", "--prompt", "Once", "--max-tokens", "0", "--quiet"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.out, "\n");
}

TEST(Generate, AClosedPipeEndsItQuietly) {
  const Outcome outcome = run_shell(
      "(\"$FORGE\" generate --prompt Once --max-tokens 400 --ignore-eos --quiet; echo \"code $?\" "
      ">&2)"
      " | head -c 5");
  EXPECT_EQ(outcome.out.size(), 5u);
  EXPECT_EQ(outcome.err, "code 0\n");
}

TEST(Interrupt, CtrlCStopsWithTheClosingLine) {
  const TemporaryFolder folder;
  const std::string model = endless_stories_folder(folder);
  RunningProgram forge("generate", {"--model", model, "--max-tokens", "100000", "--ignore-eos",
                                    "--prompt", "Once", "--seed", "3"});
  ASSERT_TRUE(eventually([&] { return forge.out().size() > 20 || forge.has_ended(); }));
  forge.signal(SIGINT);
  EXPECT_EQ(forge.wait(kPatience), 130) << forge.err();
  EXPECT_TRUE(forge.out().ends_with("\n")) << forge.out();
  EXPECT_NE(forge.err().find("(interrupted)"), std::string::npos) << forge.err();
  EXPECT_NE(forge.err().find("seed 3"), std::string::npos) << forge.err();
}

TEST(Generate, CannotDriveATerminal) {
  const std::string red = "\x1b[31mOnce\xc2\x9b";
  TerminalProgram program({"generate", "--echo", "--max-tokens", "1", "--prompt", red});
  EXPECT_EQ(program.wait(), 0);
  EXPECT_NE(program.screen().find("\\x1b[31mOnce\\x9b"), std::string::npos) << program.screen();
  EXPECT_EQ(program.screen().find('\x1b'), std::string::npos) << program.screen();
  // Another program gets what the model said.
  const Outcome piped = run_forge({"generate", "--echo", "--max-tokens", "1", "--prompt", red});
  EXPECT_TRUE(piped.out.starts_with(red)) << piped.out;
}

}  // namespace
}  // namespace forge::cli
