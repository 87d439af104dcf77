// Trusts: forge generate for numbers; else that one model with one seed says one thing, however it
// is asked.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/cli/server_program.h"
#include "tests/eventually.h"

namespace forge::cli {
namespace {

constexpr const char* kPrompt = "Once upon a time, there was a little dog who";

std::string first_text(const Answer& answer) {
  EXPECT_EQ(answer.status, 200) << answer.body;
  const json::Document said = parse_json(answer.body);
  return std::string(
      said.root().find("choices").at(0).find("text").as_string().value_or("no text"));
}

/// A completion of kPrompt; more: further members, each after a comma.
Answer complete(const ServerProgram& server, const std::string& more, std::string_view lines = {}) {
  return server.post("/v1/completions",
                     std::string(R"({"prompt": ")") + kPrompt + "\"" + more + "}", lines);
}

int64_t cached_tokens(const Answer& answer) {
  EXPECT_EQ(answer.status, 200) << answer.body;
  const json::Document said = parse_json(answer.body);
  const json::Value details = said.root().find("usage").find("prompt_tokens_details");
  return details.find("cached_tokens").as_int().value_or(-1);
}

TEST(ServeAnswers, PromptLogprobsAreThoseOfGenerate) {
  const ServerProgram server;
  const Answer answer = complete(server, R"(, "echo": true, "max_tokens": 0, "logprobs": 3)");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Outcome outcome = run_forge({"generate", "--prompt", kPrompt, "--max-tokens", "0", "--json",
                                     "--logprobs", "3", "--prompt-logprobs"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json::Document said = parse_json(answer.body);
  const json::Document wanted = parse_json(outcome.out);
  const json::Value choice = said.root().find("choices").at(0);
  EXPECT_EQ(choice.find("text").as_string(), kPrompt);
  const json::Value logprobs = choice.find("logprobs");
  const json::Value positions = wanted.root().find("prompt_logprobs");
  ASSERT_EQ(logprobs.find("token_logprobs").size(), positions.size());
  ASSERT_GT(positions.size(), 5u);
  EXPECT_TRUE(logprobs.find("token_logprobs").at(0).is_null());
  for (size_t i = 1; i < positions.size(); ++i) {
    const json::Value position = positions.at(i);
    EXPECT_EQ(logprobs.find("token_logprobs").at(i).as_double(),
              position.find("logprob").as_double());
    // The same three, and the token itself where it is not among them.
    const json::Value top = logprobs.find("top_logprobs").at(i);
    std::multiset<double> values;
    for (size_t k = 0; k < top.size(); ++k) values.insert(*top.member_at(k).as_double());
    for (size_t k = 0; k < position.find("top").size(); ++k) {
      const auto value = position.find("top").at(k).find("logprob").as_double();
      EXPECT_EQ(values.count(*value), 1u) << "position " << i;
    }
  }
}

TEST(ServeAnswers, StreamedIsWholeAndWhatGenerateSays) {
  const ServerProgram server;
  for (const std::string sampling :
       {R"(, "max_tokens": 60, "temperature": 0)", R"(, "max_tokens": 60, "seed": 7)",
        R"(, "max_tokens": 200, "seed": 8, "temperature": 1.7, "top_k": 50)"}) {
    const Answer whole = complete(server, sampling);
    const StreamText stream = read_stream(complete(server, sampling + R"(, "stream": true)"));
    EXPECT_TRUE(stream.is_whole);
    EXPECT_EQ(stream.text, first_text(whole));
    const json::Document said = parse_json(whole.body);
    EXPECT_EQ(stream.finish_reason,
              said.root().find("choices").at(0).find("finish_reason").as_string());
  }
  const Outcome outcome = run_forge({"generate", "--prompt", kPrompt, "--max-tokens", "60",
                                     "--temperature", "1", "--seed", "7", "--json"});
  const json::Document wanted = parse_json(outcome.out);
  EXPECT_EQ(wanted.root().find("text").as_string(),
            first_text(complete(server, R"(, "max_tokens": 60, "seed": 7)")));
}

TEST(ServeAnswers, StopStringsAreFoundAcrossTokens) {
  const ServerProgram server;
  const std::string greedy = R"(, "max_tokens": 30, "temperature": 0)";
  const std::string text = first_text(complete(server, greedy));
  ASSERT_GT(text.size(), 40u);
  for (size_t begin = 3; begin + 9 < text.size(); begin += 5) {
    const std::string stop = text.substr(begin, 9);
    if (stop.find_first_of("\"\n\\") != std::string::npos) continue;
    const std::string wanted = text.substr(0, text.find(stop));
    const std::string more = greedy + R"(, "stop": [")" + stop + "\"]";
    const Answer whole = complete(server, more);
    EXPECT_EQ(first_text(whole), wanted) << stop;
    EXPECT_NE(whole.body.find(R"("finish_reason":"stop")"), std::string::npos);
    const StreamText stream = read_stream(complete(server, more + R"(, "stream": true)"));
    EXPECT_EQ(stream.text, wanted) << stop;
    EXPECT_EQ(stream.finish_reason, "stop");
    EXPECT_TRUE(stream.is_whole);
  }
}

TEST(ServeAnswers, ChoicesAndTheBestOfThem) {
  const ServerProgram server;
  const std::string seeded = R"(, "max_tokens": 20, "seed": 5, "logprobs": 0)";
  const json::Document four = parse_json(complete(server, seeded + R"(, "n": 4)").body);
  const json::Value choices = four.root().find("choices");
  ASSERT_EQ(choices.size(), 4u);
  std::set<std::string> texts;
  std::vector<std::pair<double, std::string>> by_mean;
  for (size_t i = 0; i < choices.size(); ++i) {
    const std::string text(choices.at(i).find("text").as_string().value_or(""));
    texts.insert(text);
    const json::Value logprobs = choices.at(i).find("logprobs").find("token_logprobs");
    double sum = 0;
    for (size_t t = 0; t < logprobs.size(); ++t) sum += *logprobs.at(t).as_double();
    by_mean.emplace_back(-sum / static_cast<double>(logprobs.size()), text);
  }
  EXPECT_EQ(texts.size(), 4u);
  EXPECT_EQ(first_text(complete(server, seeded)), choices.at(0).find("text").as_string());
  std::sort(by_mean.begin(), by_mean.end());
  const json::Document best =
      parse_json(complete(server, seeded + R"(, "n": 2, "best_of": 4)").body);
  ASSERT_EQ(best.root().find("choices").size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(best.root().find("choices").at(i).find("text").as_string(), by_mean[i].second);
  }
  EXPECT_EQ(best.root().find("usage").find("completion_tokens").as_int(),
            four.root().find("usage").find("completion_tokens").as_int());
}

TEST(ServeAnswers, PrefixesAreNotSharedBetweenKeysUnlessAsked) {
  // More than two blocks of 16 tokens.
  std::string body = R"({"max_tokens": 1, "prompt": ")";
  for (int i = 0; i < 12; ++i) body += "One day the dog saw a cat. ";
  body += "\"}";
  const std::string alice = "Authorization: Bearer a\r\n";
  const std::string bob = "Authorization: Bearer b\r\n";
  for (const bool shares : {false, true}) {
    std::vector<std::string> arguments = {"--port", "0", "--api-key", "a", "--api-key", "b"};
    if (shares) arguments.push_back("--share-prefixes");
    const ServerProgram server(arguments);
    const auto ask = [&](const std::string& key) {
      return cached_tokens(server.post("/v1/completions", body, key));
    };
    EXPECT_EQ(ask(alice), 0);
    const int64_t again = ask(alice);
    EXPECT_GT(again, 32);
    EXPECT_EQ(ask(bob), shares ? again : 0);
    EXPECT_EQ(ask(bob), again);
  }
}

TEST(ServeAnswers, UnknownFieldsAreRefusedOrLogged) {
  const std::string more = R"(, "max_tokens": 2, "temprature": 0.5, "topp": 1)";
  const ServerProgram strict;
  const Answer refused = complete(strict, more);
  EXPECT_EQ(refused.status, 400);
  EXPECT_NE(refused.body.find(R"("param":"temprature")"), std::string::npos) << refused.body;
  const ServerProgram lenient({"--port", "0", "--lenient", "--access-log", "-"});
  EXPECT_EQ(complete(lenient, more).status, 200);
  EXPECT_TRUE(eventually([&] {
    return lenient.out().find(R"("ignored_fields":"temprature, topp")") != std::string::npos;
  })) << lenient.out();
}

TEST(ServeAnswers, TheAccessLogIsJsonAndHoldsNoText) {
  const ServerProgram server({"--port", "0", "--access-log", "-"});
  const std::string secret = "Xyzzyplugh";
  const std::string body = R"({"max_tokens": 4, "prompt": ")" + secret + "\"}";
  const Answer named = server.post("/v1/completions", body, "X-Request-Id: my-id-1\r\n");
  EXPECT_EQ(named.header("x-request-id"), "my-id-1");
  EXPECT_NE(named.body.find("my-id-1"), std::string::npos) << named.body;
  const Answer unnamed = server.post("/v1/completions", body);
  EXPECT_GE(unnamed.header("x-request-id").size(), 16u);
  const std::string quoted = "\"" + secret + "\"";
  const auto ask = [&](const std::string& path, const std::string& asked) {
    return server.post(path, asked).status;
  };
  EXPECT_EQ(ask("/v1/completions", "{\"prompt\": " + quoted + ", \"no_such_field\": 1}"), 400);
  // The model has no chat template.
  EXPECT_EQ(
      ask("/v1/chat/completions", R"({"messages": [{"role": "user", "content": )" + quoted + "}]}"),
      400);
  EXPECT_EQ(ask("/tokenize", "{\"prompt\": " + quoted + "}"), 200);
  EXPECT_EQ(server.get("/v1/models/unknown").status, 404);
  ASSERT_TRUE(eventually([&] {
    const std::string out = server.out();
    return std::count(out.begin(), out.end(), '\n') == 6;
  })) << server.out();
  EXPECT_EQ(server.out().find(secret), std::string::npos) << server.out();
  EXPECT_EQ(server.err().find(secret), std::string::npos) << server.err();
  std::istringstream lines(server.out());
  std::string line;
  for (int i = 0; std::getline(lines, line); ++i) {
    const json::Document entry = parse_json(line);
    for (const char* key : {"time", "id", "method", "path", "status", "bytes", "ms", "peer"}) {
      EXPECT_FALSE(entry.root().find(key).is_missing()) << key << " in " << line;
    }
    if (i == 0) {
      EXPECT_EQ(entry.root().find("id").as_string(), "my-id-1");
      EXPECT_EQ(entry.root().find("generated_tokens").as_int(), 4) << line;
    }
  }
}

}  // namespace
}  // namespace forge::cli
