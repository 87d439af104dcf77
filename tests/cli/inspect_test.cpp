// Reference: the operating system's peak resident size of a real run, and the model's config.json.
#include <gtest/gtest.h>

#include <iostream>

#include "forge/base/json.h"
#include "tests/cli/program.h"
#include "tests/sanitizers.h"

namespace forge::cli {
namespace {

json::Document inspect_json(const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {"inspect", "--json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const Outcome outcome = run_forge(arguments);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  auto document = json::Document::parse(outcome.out, "stdout");
  EXPECT_TRUE(document.ok()) << outcome.out;
  return std::move(document).value();
}

TEST(Inspect, TellsTheSizesOfConfigJson) {
  const auto config = json::Document::load(stories_folder() + "/config.json");
  ASSERT_TRUE(config.ok());
  for (const std::string& model : {stories_folder(), stories_gguf(), std::string("bundled")}) {
    const json::Document report = inspect_json({model});
    const auto same = [&](std::string_view ours, std::string_view theirs) {
      EXPECT_EQ(report.root().find(ours).as_int(), config->root().find(theirs).as_int()) << ours;
    };
    EXPECT_EQ(report.root().find("architecture").as_string(), "llama");
    same("layers", "num_hidden_layers");
    same("hidden_dim", "hidden_size");
    same("ffn_dim", "intermediate_size");
    same("heads", "num_attention_heads");
    same("kv_heads", "num_key_value_heads");
    same("vocab_size", "vocab_size");
    same("context_len", "max_position_embeddings");
  }
}

TEST(Inspect, MemoryFollowsFromTheSizes) {
  const json::Document report = inspect_json({"--ctx", "100"});
  const json::Value root = report.root();
  const json::Value memory = root.find("memory");
  const int64_t layers = *root.find("layers").as_int();
  const int64_t kv_width = *root.find("kv_heads").as_int() * *root.find("head_dim").as_int();
  EXPECT_EQ(memory.find("kv_bytes_per_token").as_int(), 2 * 2 * layers * kv_width);  // bf16
  // 100 tokens take 7 blocks of 16.
  EXPECT_EQ(memory.find("kv_bytes").as_int(), 2 * 2 * layers * kv_width * 112);
  int64_t tensor_bytes = 0;
  for (size_t i = 0; i < root.find("tensors").size(); ++i) {
    tensor_bytes += *root.find("tensors").at(i).find("bytes").as_int();
  }
  EXPECT_EQ(memory.find("weight_bytes").as_int(), tensor_bytes);
}

TEST(Inspect, TheTableShowsEveryPart) {
  const Outcome outcome = run_forge({"inspect", stories_gguf()});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  for (const std::string part : {"architecture", "llama", "GGUF version 3", "parameters", "million",
                                 "context", "512 tokens", "tokenizer", "BPE", "chat template",
                                 "attn_q", "Q8_0 x 5", "KV cache", "workspace", "fits"}) {
    EXPECT_NE(outcome.out.find(part), std::string::npos) << part << " is not in\n" << outcome.out;
  }
}

/// Fills the context (511 prompt tokens in one step, one generated) and compares the peak with the
/// plan.
void expect_plan_agrees(const std::string& model) {
  SCOPED_TRACE(model);
  const json::Document report = inspect_json({model});
  const int64_t planned = *report.root().find("memory").find("total_bytes").as_int();
  // " dog" is one token of the bundled vocabulary, "dog" at the start another, BOS one more.
  const Outcome counted = run_forge({"tokenize", model, "--json", "--text", "dog dog dog"});
  const auto ids = json::Document::parse(counted.out, "tokenize");
  ASSERT_TRUE(ids.ok());
  int64_t n_tokens = static_cast<int64_t>(ids->root().find("ids").size());
  std::string prompt = "dog dog dog";
  for (; n_tokens < 511; ++n_tokens) prompt += " dog";
  const Outcome run = run_forge({"generate", "--model", model, "--prompt", prompt, "--json",
                                 "--ignore-eos", "--temperature", "0"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_NE(run.out.find("\"total_tokens\":512"), std::string::npos) << run.err;
  const auto result = json::Document::parse(run.out, "generate");
  ASSERT_TRUE(result.ok());
  const int64_t peak = result->root().find("peak_resident_bytes").as_int().value_or(0);
  ASSERT_GT(peak, 0);
  // What the program says of itself, against rusage: that counts this test program too, which the
  // run was started from, so it may be more, and its counters lag by up to 64 pages a thread.
  EXPECT_LE(peak, run.peak_resident_bytes + (int64_t{1} << 20));
  const double ratio = static_cast<double>(planned) / static_cast<double>(peak);
  std::cout << model << ": planned " << planned << ", peak " << peak << ", ratio " << ratio << "\n";
  // A run of this size also varies by the pages of code that it happens to touch, some 0.7 MiB.
  const double tolerance = 0.02 * static_cast<double>(peak) + (1 << 20);
  EXPECT_NEAR(static_cast<double>(planned), static_cast<double>(peak), tolerance);
}

TEST(Inspect, ThePlanAgreesWithThePeakOfARealRun) {
  if (kIsSanitized) GTEST_SKIP() << "sanitizers add memory of their own";
  expect_plan_agrees(stories_gguf());
  expect_plan_agrees(stories_folder());
  expect_plan_agrees("bundled");
}

}  // namespace
}  // namespace forge::cli
