// Reference: the sizes of the model that is measured, and what a rate and a share can be at all;
// how fast a machine is, no test can know.
#include <gtest/gtest.h>

#include <set>

#include "forge/base/json.h"
#include "tests/cli/program.h"

namespace forge::cli {
namespace {

const std::vector<std::string> kQuick = {"bench",    "--random", "tiny-test:q8_0", "--repeat", "2",
                                         "--prompt", "16",       "--gen",          "2"};

Outcome bench(const std::vector<std::string>& more) {
  std::vector<std::string> arguments = kQuick;
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_forge(arguments);
}

void expect_error(const Outcome& outcome, int exit_code, const std::vector<std::string>& parts) {
  EXPECT_EQ(outcome.exit_code, exit_code) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  ASSERT_EQ(outcome.err_lines().size(), 1u) << outcome.err;
  for (const std::string& part : parts) {
    EXPECT_NE(outcome.err.find(part), std::string::npos) << part << " is not in " << outcome.err;
  }
}

double number(const json::Value& test, std::string_view key) {
  const auto value = test.find(key).as_double();
  EXPECT_TRUE(value.has_value()) << key;
  return value.value_or(0.0);
}

// Of tiny-test in Q8_0: 2 layers of (256 + 128 + 128 + 256) x 256 and 3 x 512 x 256 weights, the
// head 1024 x 256.
constexpr double kWeightBytes = (2.0 * (768 * 256 + 3 * 512 * 256) + 1024 * 256) * 34 / 32;

TEST(Bench, JsonHasTheStatedFieldsAndNothingElse) {
  const Outcome outcome = bench({"--batch", "1,4", "--json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto document = json::Document::parse(outcome.out, "stdout");
  ASSERT_TRUE(document.ok()) << outcome.out;
  const json::Value tests = document->root();
  ASSERT_EQ(tests.size(), 3u);
  const int64_t kBatches[] = {1, 1, 4};
  for (size_t i = 0; i < 3; ++i) {
    const json::Value test = tests.at(i);
    std::set<std::string_view> keys;
    for (size_t k = 0; k < test.size(); ++k) keys.insert(test.key_at(k));
    EXPECT_EQ(keys, (std::set<std::string_view>{"test", "batch", "depth", "device", "threads",
                                                "tokens_per_second", "bytes_per_token",
                                                "share_of_limit"}));
    EXPECT_EQ(test.find("test").as_string(), i == 0 ? "pp16" : "tg2");
    EXPECT_EQ(test.find("batch").as_int(), kBatches[i]);
    EXPECT_EQ(test.find("depth").as_int(), 0);
    EXPECT_GE(test.find("threads").as_int().value_or(0), 1);
    const json::Value rate = test.find("tokens_per_second");
    EXPECT_GT(number(rate, "min"), 0.0);
    EXPECT_LE(number(rate, "min"), number(rate, "median"));
    EXPECT_LE(number(rate, "median"), number(rate, "max"));
    EXPECT_GT(number(test, "share_of_limit"), 0.0);
    // The model fits a cache, so no share of the memory's rate is too large to be true.
    EXPECT_LT(number(test, "share_of_limit"), 1000.0);
  }
  // Weights are shared by the sequences of a step, keys and values are not.
  const double one = number(tests.at(1), "bytes_per_token");
  const double four = number(tests.at(2), "bytes_per_token");
  EXPECT_NEAR(one - four, kWeightBytes * 3 / 4, 1.0);
}

TEST(Bench, DepthAddsKeysAndValues) {
  const auto bytes_at = [](const std::string& depth) {
    const Outcome outcome =
        run_forge({"bench", "--random", "tiny-test:q8_0", "--repeat", "1", "--prompt", "0", "--gen",
                   "2", "--batch", "2", "--depth", depth, "--json"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    const auto document = json::Document::parse(outcome.out, "stdout");
    EXPECT_TRUE(document.ok()) << outcome.out;
    if (!document.ok() || document->root().size() != 1) return 0.0;
    EXPECT_EQ(document->root().at(0).find("depth").as_int(), std::stoi(depth));
    return number(document->root().at(0), "bytes_per_token");
  };
  // Two layers, two heads of 64 dimensions, keys and values, of some bytes each.
  const double per_token = (bytes_at("48") - bytes_at("16")) / 32;
  const double n_values = 2 * 2 * 2 * 64;
  EXPECT_GE(per_token, n_values);
  EXPECT_LE(per_token, n_values * 4);
}

TEST(Bench, TheTableHasARowForEachTest) {
  const Outcome outcome = bench({"--batch", "1,2,3", "--depth", "20"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  for (const char* text :
       {"| model", "pp16 @ d20", "tg2 @ d20", "% read", "% int8", "limits in this run: read ",
        "first token after a prompt of 16: ", "peak memory: "}) {
    EXPECT_NE(outcome.out.find(text), std::string::npos) << text << " is not in " << outcome.out;
  }
}

TEST(Bench, TheBreakdownNamesTheStages) {
  const Outcome outcome = bench({"--batch", "1,2", "--breakdown"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  for (const char* text : {"worker 0, per step", "norm + QKV", "attention", "gate + up", "waiting",
                           "sampling besides, greedy", "tg2 x 2"}) {
    EXPECT_NE(outcome.out.find(text), std::string::npos) << text << " is not in " << outcome.out;
  }
  // With --json the table goes to stderr, and stdout is the array alone.
  const Outcome json = bench({"--batch", "1", "--breakdown", "--json"});
  EXPECT_TRUE(json::Document::parse(json.out, "stdout").ok()) << json.out;
  EXPECT_NE(json.err.find("worker 0, per step"), std::string::npos) << json.err;
  EXPECT_EQ(bench({"--batch", "1"}).out.find("worker 0"), std::string::npos);
}

TEST(Bench, MeasuresFilesAndTheBundledModel) {
  for (const std::string& model : {stories_gguf(), stories_folder(), std::string("bundled")}) {
    const Outcome outcome = run_forge({"bench", "--model", model, "--prompt", "4", "--gen", "1",
                                       "--batch", "1", "--repeat", "1", "--quiet"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
  }
}

TEST(Bench, BadInput) {
  expect_error(run_forge({"bench", "--random", "gpt-5:q8_0"}), 2,
               {"unknown spec \"gpt-5\"", "smollm2-135m", "llama-3.1-8b"});
  expect_error(run_forge({"bench", "--random", "smollm2-135m:q9"}), 2,
               {"unknown type \"q9\"", "q8_0", "iq4_xs", "q4_k_m"});
  expect_error(run_forge({"bench", "--random", "smollm2-135m"}), 2, {"expected SPEC:TYPE"});
  expect_error(run_forge({"bench", "--random", "tiny-test:f32", "--model", "bundled"}), 2,
               {"--model and --random: expected one of them"});
  // The variable is only for where nothing is named.
  EXPECT_EQ(run_forge({"bench", "--random", "tiny-test:f32", "--repeat", "1", "--gen", "1", "-q"},
                      "", {{"FORGE_MODEL", "/nonexistent"}})
                .exit_code,
            0);
  expect_error(bench({"--batch", "0"}), 2, {"--batch 0: expected 1 to"});
  expect_error(bench({"--batch", "2,x"}), 2, {"--batch"});
  expect_error(bench({"--depth", "500"}), 2,
               {"--depth 500 --prompt 16: 516 tokens, the model's context is 512"});
  expect_error(bench({"--depth", "-1"}), 2, {"--depth -1: expected 0 or more"});
  expect_error(run_forge({"bench", "--prompt", "0", "--gen", "0", "--quiet"}), 2,
               {"nothing to measure"});
  expect_error(run_forge({"bench", "--repeat", "0", "--quiet"}), 2,
               {"--repeat 0: expected 1 or more"});
  expect_error(run_forge({"bench", "--model", "/no/such.gguf"}), 1, {"/no/such.gguf"});
  expect_error(run_forge({"bench", "hw", "--memory", "1"}), 2, {"--memory 1: expected 16 to"});
}

TEST(Bench, RefusesWhatDoesNotFitBeforeMakingIt) {
  // 500 sequences of 131,072 tokens: terabytes of keys and values.
  expect_error(
      run_forge({"bench", "--random", "llama-3.2-1b:q4_0", "--batch", "500", "--depth", "130000"}),
      1, {"not enough memory: weights", "KV cache", "workspace"});
}

TEST(BenchHw, JsonHasALimitForEachThreadCount) {
  const Outcome outcome = run_forge({"bench", "hw", "--memory", "16", "--threads", "1", "--json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto document = json::Document::parse(outcome.out, "stdout");
  ASSERT_TRUE(document.ok()) << outcome.out;
  EXPECT_TRUE(document->root().find("isa").is_string());
  const json::Value limits = document->root().find("limits");
  ASSERT_EQ(limits.size(), 1u);
  for (const char* key :
       {"read_bytes_per_s_4k_pages", "read_bytes_per_s_2m_pages", "copy_bytes_per_s",
        "int8_ops_per_s", "bf16_flops_per_s", "f32_flops_per_s"}) {
    EXPECT_GT(number(limits.at(0), key), 1e6) << key;
  }
  EXPECT_TRUE(limits.at(0).find("barrier_s").is_null());
}

TEST(MakeRandom, WritesAFileThatInspectReads) {
  const TemporaryFolder folder;
  const std::string path = folder.path("tiny.gguf");
  const Outcome made = run_forge({"make-random", "tiny-test:q4_k_m", "-o", path});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_EQ(made.out, "");
  const Outcome inspected = run_forge({"inspect", path, "--json"});
  ASSERT_EQ(inspected.exit_code, 0) << inspected.err;
  const auto document = json::Document::parse(inspected.out, "stdout");
  ASSERT_TRUE(document.ok()) << inspected.out;
  EXPECT_EQ(document->root().find("hidden_dim").as_int(), 256);
  const Outcome text = run_forge({"generate", "--model", path, "--prompt", "The sea", "--quiet",
                                  "--max-tokens", "3", "--ignore-eos"});
  EXPECT_EQ(text.exit_code, 0) << text.err;
}

TEST(MakeRandom, BadInput) {
  expect_error(run_forge({"make-random", "tiny-test:q9", "-o", "x.gguf"}), 2, {"unknown type"});
  expect_error(run_forge({"make-random", "tiny-test:q8_0"}), 2, {"--output"});
  expect_error(run_forge({"make-random", "tiny-test:q8_0", "-o", "/no/such/x.gguf"}), 1,
               {"/no/such/x.gguf"});
}

}  // namespace
}  // namespace forge::cli
