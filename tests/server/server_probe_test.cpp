// Trusts: fake_server.py, which says how it counts tokens and what it refuses.
#include "forge/server/client/server_probe.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "forge/base/json.h"
#include "forge/server/http/server.h"
#include "tests/python_test.h"
#include "tests/server/fake_server.h"

namespace forge::server::client {
namespace {

class ServerProbeTest : public PythonTest {
 protected:
  ServerProbeTest()
      : target_(HttpTarget::find(*parse_url(server_.url()), "").value()), probe_(target_, 10.0) {}

  static CompletionRequest request(const std::string& manner, Route route = Route::kCompletions) {
    return {.route = route, .model = manner, .n_output = 4};
  }

  FakeServer server_;
  HttpTarget target_;
  ServerProbe probe_;
};

TEST_F(ServerProbeTest, TheFirstModelIsTheOneThatIsNamedFirst) {
  EXPECT_EQ(probe_.first_model().value(), "ttft=1");
}

// Each of these ended the program.
TEST(ServerProbe, ModelsThatAreNoListOfModelsAreAnError) {
  for (const std::string body : {R"({"data":[]})", R"({"data":{"id":"a"}})", R"({"data":"a"})",
                                 R"({"data":[5]})", R"({"models":[]})", "[]", "5"}) {
    http::Router router;
    router.add({"GET", "/v1/models", [&body](const http::Request&, http::Response& response) {
                  return response.send({.body = body, .headers = {}});
                }});
    const auto server = http::Server::start({}, std::move(router));
    ASSERT_TRUE(server.ok()) << server.error().message;
    const auto url = parse_url(fmt::format("http://127.0.0.1:{}/v1", (*server)->port()));
    HttpTarget target = HttpTarget::find(*url, "").value();
    ServerProbe probe(target, 10.0);
    const auto model = probe.first_model();
    ASSERT_FALSE(model.ok()) << body;
    EXPECT_NE(model.error().message.find("names no model"), std::string::npos)
        << model.error().message;
  }
}

TEST_F(ServerProbeTest, ExtensionsAreWhatTheServerTakes) {
  struct Case {
    std::string refuse;
    bool ignore_eos;
    bool include_usage;
  };
  const Case cases[] = {{"nothing", true, true},
                        {"ignore_eos", false, true},
                        {"stream_options", true, false},
                        {"ignore_eos,stream_options", false, false}};
  for (const Case& c : cases) {
    const auto found = probe_.extensions(request("refuse=" + c.refuse), std::string("a"));
    ASSERT_TRUE(found.ok()) << found.error().message;
    EXPECT_EQ(found->ignore_eos, c.ignore_eos) << c.refuse;
    EXPECT_EQ(found->include_usage, c.include_usage) << c.refuse;
  }
}

TEST_F(ServerProbeTest, WhatIsNotWantedIsNotAskedFor) {
  CompletionRequest without = request("refuse=nothing");
  without.extensions.ignore_eos = false;
  const auto found = probe_.extensions(without, std::string("a"));
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_FALSE(found->ignore_eos);
  EXPECT_TRUE(found->include_usage);
}

TEST_F(ServerProbeTest, ARefusalOfEverythingIsTheServersOwnMessage) {
  const auto refused = probe_.extensions(request("refuse=prompt"), std::string("a"));
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("HTTP 400: unknown field prompt"), std::string::npos)
      << refused.error().message;
  const auto busy = probe_.extensions(request("fail=429"), std::string("a"));
  ASSERT_FALSE(busy.ok());
  EXPECT_NE(busy.error().message.find("HTTP 429"), std::string::npos);
}

TEST_F(ServerProbeTest, WordsMakeTheTokensThatAreWanted) {
  // 2 tokens per word and 7 more.
  for (const Route route : {Route::kCompletions, Route::kChat}) {
    EXPECT_EQ(probe_.words_for(107, request("", route), 1).value(), 50);
    EXPECT_EQ(probe_.words_for(2007, request("", route), 1).value(), 1000);
    EXPECT_EQ(probe_.words_for(1, request("", route), 1).value(), 1);
  }
  EXPECT_EQ(probe_.words_for(107, request("usage=no"), 1).value(), std::nullopt);
}

TEST(RandomPrompts, AreAFunctionOfSeedAndNumber) {
  const RandomPrompts words{.seed = 3, .n_units = 40, .n_prefix_units = 10};
  const auto text = [](const RandomPrompts& prompts, int64_t i) {
    return std::get<std::string>(prompts.prompt(i));
  };
  EXPECT_EQ(text(words, 5), text(words, 5));
  const std::string a = text(words, 5);
  const std::string b = text(words, 6);
  EXPECT_EQ(std::count(a.begin(), a.end(), ' '), 39);
  const auto shared = std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first;
  // The tenth blank ends the prefix; a word or two may agree by chance (1 in 96 each).
  const auto n_shared_words = std::count(a.begin(), shared, ' ');
  EXPECT_GE(n_shared_words, 10);
  EXPECT_LE(n_shared_words, 12);
  EXPECT_NE(text({.seed = 4, .n_units = 40, .n_prefix_units = 10}, 5).substr(0, 30),
            a.substr(0, 30));
}

TEST(RandomPrompts, IdsAreInTheirRange) {
  const RandomPrompts prompts{
      .n_units = 1000, .n_prefix_units = 4, .as_ids = true, .vocab_size = 50};
  const auto a = std::get<std::vector<int32_t>>(prompts.prompt(0));
  const auto b = std::get<std::vector<int32_t>>(prompts.prompt(1));
  ASSERT_EQ(a.size(), 1000u);
  EXPECT_EQ(*std::min_element(a.begin(), a.end()), 25);
  EXPECT_EQ(*std::max_element(a.begin(), a.end()), 49);
  EXPECT_TRUE(std::equal(a.begin(), a.begin() + 4, b.begin()));
  EXPECT_NE(a, b);
}

TEST(CompletionRequest, SaysWhatIsMeasured) {
  const CompletionRequest request{.model = "m", .n_output = 9};
  EXPECT_EQ(request.body(std::vector<int32_t>{1, 2}),
            R"({"model":"m","prompt":[1,2],"max_tokens":9,"temperature":0,"stream":true,)"
            R"("stream_options":{"include_usage":true},"ignore_eos":true})");
  const CompletionRequest chat{
      .route = Route::kChat, .model = "m", .n_output = 9, .extensions = {false, false}};
  EXPECT_EQ(chat.body(std::string("hi\"")),
            R"({"model":"m","messages":[{"role":"user","content":"hi\""}],"max_tokens":9,)"
            R"("temperature":0,"stream":true})");
}

}  // namespace
}  // namespace forge::server::client
