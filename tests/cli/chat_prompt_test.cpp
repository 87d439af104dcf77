// Reference: the prompt written out by hand, as the ChatML template defines it.
#include <gtest/gtest.h>

#include "forge/base/json.h"
#include "tests/cli/chat_model_folder.h"
#include "tests/cli/program.h"

namespace forge::cli {
namespace {

std::string prompt_of(const std::string& model, const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {"generate",     "--model", model,
                                        "--max-tokens", "1",       "--json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const Outcome outcome = run_forge(arguments);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto document = json::Document::parse(outcome.out, "stdout");
  EXPECT_TRUE(document.ok()) << outcome.out;
  return std::string(document->root().find("prompt").as_string().value_or("(none)"));
}

TEST(ChatPrompt, AppliesTheModelsTemplate) {
  TemporaryFolder folder;
  const std::string model = folder_with_template(folder, kChatMl);
  EXPECT_EQ(prompt_of(model, {"--chat", "--prompt", "Who is Tom?"}),
            "<|im_start|>user\nWho is Tom?<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(prompt_of(model, {"--chat", "--system", "Be brief.", "--prompt", "Who is Tom?"}),
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWho is Tom?<|im_end|>\n"
            "<|im_start|>assistant\n");
  EXPECT_EQ(prompt_of(model, {"--raw", "--prompt", "Who is Tom?"}), "Who is Tom?");
  EXPECT_EQ(prompt_of(model, {"--prompt", "Who is Tom?"}), "Who is Tom?");
}

TEST(ChatPrompt, TheTemplateDecidesAboutBos) {
  TemporaryFolder folder;
  const std::string model =
      folder_with_template(folder, "{{ bos_token }}{{ messages[0].content }}");
  const Outcome outcome = run_forge(
      {"generate", "--model", model, "--chat", "--prompt", "Tom", "--max-tokens", "1", "--json"});
  // BOS once, from the template, though the tokenizer adds one to plain text.
  EXPECT_NE(outcome.out.find("\"prompt_ids\":[0,"), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.out.find("\"prompt_ids\":[0,0"), std::string::npos) << outcome.out;
}

TEST(ChatPrompt, ATemplateThatFailsIsOneLine) {
  TemporaryFolder folder;
  const std::string broken = folder_with_template(folder, "{% for %}");
  const Outcome syntax = run_forge({"generate", "--model", broken, "--chat", "--prompt", "Tom"});
  EXPECT_EQ(syntax.exit_code, 1);
  EXPECT_EQ(syntax.out, "");
  EXPECT_EQ(syntax.err_lines().size(), 1u) << syntax.err;
  EXPECT_NE(syntax.err.find("chat template"), std::string::npos) << syntax.err;
  TemporaryFolder other;
  const std::string refusing =
      folder_with_template(other, "{{ raise_exception('only\\nsystem messages') }}");
  const Outcome refused = run_forge({"generate", "--model", refusing, "--chat", "--prompt", "Tom"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_EQ(refused.err_lines().size(), 1u) << refused.err;
  EXPECT_NE(refused.err.find("system messages"), std::string::npos) << refused.err;
}

}  // namespace
}  // namespace forge::cli
