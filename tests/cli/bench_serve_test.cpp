// Trusts: tests/server/fake_server.py, whose delays, faults and counting are exact.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "forge/base/json.h"
#include "tests/cli/program.h"
#include "tests/python_test.h"

namespace forge::cli {
namespace {

class BenchServe : public PythonTest {};

/// Runs lines of sh in which $URL is a fake server's, $BENCH the command so far and $folder for
/// files.
Outcome with_fake_server(const std::string& lines) {
  const TemporaryFolder folder;
  return run_shell("folder=" + folder.path() +
                   "\n"
                   "python3 -B '" FORGE_SOURCE_DIR
                   "/tests/server/fake_server.py' 2> $folder/log & server=$!\n"
                   "trap 'kill $server; wait $server' EXIT\n"
                   "until grep -qs listening $folder/log\n"
                   "do kill -0 $server || exit 1; sleep 0.02; done\n"
                   "URL=$(sed -n 's/^listening on //p' $folder/log)\n"
                   "BENCH=\"$FORGE bench serve --url $URL\"\n" +
                   lines);
}

json::Value only_run(const Result<json::Document>& document) {
  EXPECT_TRUE(document.ok());
  const json::Value runs = document->root().find("runs");
  EXPECT_EQ(runs.size(), 1u);
  return runs.at(0);
}

TEST_F(BenchServe, JsonHasTheStatedFieldsAndTheServersNumbers) {
  const Outcome outcome = with_fake_server(
      "$BENCH --model 'ttft=40 itl=10 chunk=2' --concurrency 2 --requests 6 --input-len 107 "
      "--output-len 8 --json");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto document = json::Document::parse(outcome.out, "stdout");
  const json::Value run = only_run(document);
  std::set<std::string_view> keys;
  for (size_t i = 0; i < run.size(); ++i) keys.insert(run.key_at(i));
  EXPECT_EQ(keys, (std::set<std::string_view>{
                      "concurrency", "seconds", "done", "failed", "unfinished",
                      "requests_per_second", "output_tokens_per_second", "input_tokens_per_second",
                      "tokens_counted_by", "mean_input_tokens", "mean_output_tokens",
                      "time_to_first_token_ms", "inter_token_ms", "end_to_end_ms", "errors"}));
  EXPECT_EQ(document->root().find("endpoint").as_string(), "/completions");
  EXPECT_EQ(document->root().find("ignore_eos").as_bool(), true);
  EXPECT_EQ(run.find("concurrency").as_int(), 2);
  EXPECT_EQ(run.find("done").as_int(), 6);
  EXPECT_EQ(run.find("failed").as_int(), 0);
  EXPECT_EQ(run.find("tokens_counted_by").as_string(), "usage");
  EXPECT_EQ(run.find("mean_input_tokens").as_double(), 107.0);
  EXPECT_EQ(run.find("mean_output_tokens").as_double(), 8.0);
  EXPECT_EQ(run.find("inter_token_ms").find("n").as_int(), 6 * 3);
  EXPECT_GE(run.find("time_to_first_token_ms").find("p50").as_double().value_or(0), 40.0);
  EXPECT_GE(run.find("end_to_end_ms").find("p50").as_double().value_or(0), 70.0);
  EXPECT_EQ(run.find("errors").size(), 0u);
}

TEST_F(BenchServe, ARowForEachNumberOfClients) {
  const Outcome outcome = with_fake_server("$BENCH --concurrency 1,3 --requests 6 --output-len 2");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("| 1 client "), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("| 3 clients "), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("2.0 out per request, by the server's usage"), std::string::npos);
  // The fake server's first model, since none is named.
  EXPECT_NE(outcome.err.find("model ttft=1"), std::string::npos) << outcome.err;
}

TEST_F(BenchServe, FailuresAreNamedAndCounted) {
  const Outcome outcome = with_fake_server(
      "$BENCH --model 'fail=429 every=5' --concurrency 1 --requests 10 --output-len 2");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.out.find("1 client: 2 failed: HTTP 429: no room\n"), std::string::npos)
      << outcome.out;
}

TEST_F(BenchServe, RequestsAreWhatTheFlagsSay) {
  const Outcome outcome = with_fake_server(
      "$BENCH --model ttft=0 --rate 100 --requests 4 --token-ids --input-len 12 --prefix-len 5 "
      "--output-len 3 --seed 9 -q --json > /dev/null && python3 -c 'import sys, urllib.request as "
      "u; "
      "print(u.urlopen(sys.argv[1] + \"/v1/seen\").read().decode())' $URL");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  const auto seen = json::Document::parse(outcome.out, "seen");
  ASSERT_TRUE(seen.ok());
  const json::Value bodies = seen->root().find("bodies");
  ASSERT_EQ(bodies.size(), 5u);  // one asks what the server takes
  std::set<std::string> prefixes;
  std::set<std::string> prompts;
  for (size_t i = 1; i < bodies.size(); ++i) {
    const json::Value body = bodies.at(i);
    EXPECT_EQ(body.find("max_tokens").as_int(), 3);
    EXPECT_EQ(body.find("ignore_eos").as_bool(), true);
    const json::Value prompt = body.find("prompt");
    ASSERT_EQ(prompt.size(), 12u);
    std::string prefix;
    for (size_t t = 0; t < 5; ++t) prefix += prompt.at(t).dump() + " ";
    prefixes.insert(prefix);
    prompts.insert(prompt.dump());
  }
  EXPECT_EQ(prefixes.size(), 1u);
  EXPECT_EQ(prompts.size(), 4u);
}

TEST_F(BenchServe, LinesOfAFileAreThePrompts) {
  const Outcome outcome = with_fake_server(
      "printf 'one two\\n\\nthree\\n' | $BENCH --model ttft=0 -c 1 --requests 4 --endpoint chat "
      "--prompt-file - -q --json > /dev/null && python3 -c 'import sys, urllib.request as u; "
      "print(u.urlopen(sys.argv[1] + \"/v1/seen\").read().decode())' $URL");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto seen = json::Document::parse(outcome.out, "seen");
  ASSERT_TRUE(seen.ok());
  const json::Value bodies = seen->root().find("bodies");
  ASSERT_EQ(bodies.size(), 5u);
  for (size_t i = 1; i < 5; ++i) {
    EXPECT_EQ(bodies.at(i).find("messages").at(0).find("content").as_string(),
              i % 2 == 1 ? "one two" : "three");
  }
}

TEST_F(BenchServe, AServerThatRefusesFieldsIsAskedWithoutThem) {
  const Outcome outcome = with_fake_server(
      "$BENCH --model 'refuse=ignore_eos,stream_options' -c 1 --requests 2 --output-len 4");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("refuses ignore_eos"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("--input-len is a number of words"), std::string::npos);
  EXPECT_NE(outcome.out.find("4.0 out per request, by the chunks of the stream"), std::string::npos)
      << outcome.out;
}

TEST_F(BenchServe, CtrlCPrintsWhatWasMeasured) {
  const Outcome outcome = with_fake_server(
      "$BENCH --model 'itl=20' -c 2,4 --duration 600 --output-len 5 2> $folder/said & bench=$!\n"
      "until grep -qs '2 clients' $folder/said; do kill -0 $bench || exit 1; sleep 0.02; done\n"
      "sleep 1; kill -INT $bench; wait $bench");
  EXPECT_EQ(outcome.exit_code, 130);
  EXPECT_NE(outcome.out.find("| 2 clients "), std::string::npos) << outcome.out << outcome.err;
  EXPECT_EQ(outcome.out.find("| 4 clients "), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.out.find("failed:"), std::string::npos) << outcome.out;
}

TEST(BenchServeErrors, WhatCannotBeDoneIsOneLine) {
  struct Case {
    std::vector<std::string> arguments;
    int exit_code;
    std::string message;
  };
  const std::string url = "http://127.0.0.1:1";
  const Case cases[] = {
      {{}, 2, "no server: expected --url, or --model to start one"},
      {{"--url", url, "--concurrency", "0"}, 2, "--concurrency 0"},
      {{"--url", url, "--rate", "0"}, 2, "--rate 0"},
      {{"--url", url, "--rate", "nan"}, 2, "--rate nan"},
      {{"--url", url, "--rate", "1", "--concurrency", "2"}, 2, "--concurrency"},
      {{"--url", url, "--duration", "-1"}, 2, "--duration -1"},
      {{"--url", url, "--requests", "0"}, 2, "--requests 0"},
      {{"--url", url, "--timeout", "0"}, 2, "--timeout 0"},
      {{"--url", url, "--input-len", "0"}, 2, "--input-len 0"},
      {{"--url", url, "--prefix-len", "200"}, 2, "--prefix-len 200"},
      {{"--url", url, "--endpoint", "embeddings"}, 2, "--endpoint embeddings"},
      {{"--url", url, "--endpoint", "chat", "--token-ids"}, 2, "--token-ids"},
      {{"--url", "127.0.0.1:1"}, 2, "no http:// or https:// at its start"},
      {{"--url", url, "--seed", "-1"}, 2, "--seed -1: expected a number from 0 to 2^64 - 1"},
      {{"--url", url, "--requests", "99999999999999999999"}, 2, "--requests 9"},
      {{"--url", url}, 1, "connect: Connection refused"},
      {{"--url", "http://host.invalid"}, 1, "cannot find the host"},
      {{"--url", url, "--model", "m", "--prompt-file", "/nonexistent"}, 1, "/nonexistent"},
      {{"--model", "/nonexistent", "-q"}, 1, "the server ended before it listened"},
  };
  for (const Case& c : cases) {
    std::vector<std::string> arguments = {"bench", "serve"};
    arguments.insert(arguments.end(), c.arguments.begin(), c.arguments.end());
    const Outcome outcome = run_forge(arguments);
    EXPECT_EQ(outcome.exit_code, c.exit_code) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err_lines().size(), 1u) << outcome.err;
    EXPECT_NE(outcome.err.find(c.message), std::string::npos) << outcome.err;
  }
}

}  // namespace
}  // namespace forge::cli
