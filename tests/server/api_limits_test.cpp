// Trusts: docs/api.md and docs/serving.md for limits that follow from the engine's.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "forge/base/json.h"
#include "forge/server/api/api_server.h"
#include "tests/engine/bundled.h"
#include "tests/server/test_client.h"

namespace forge::server {
namespace {

/// Holds 5 requests: two that run, three that wait.
class SmallServer {
 public:
  SmallServer() {
    EngineOptions options;
    options.n_threads = 1;
    options.max_sequences = 2;
    options.max_queue = 3;
    engine_ = engine::make_engine(engine::bundled_model(), options);
    ApiServerOptions api;
    api.http.port = 0;
    auto server = ApiServer::start(*engine_, std::move(api));
    EXPECT_TRUE(server.ok()) << server.error().message;
    server_ = std::move(*server);
  }

  [[nodiscard]] http::Answer post(const std::string& path, const std::string& body) const {
    http::TestClient client(server_->port());
    return client.ask(http::post(path, body));
  }
  /// "param | message" of a 400.
  [[nodiscard]] std::string refusal_of(const std::string& path, const std::string& body) const {
    const http::Answer answer = post(path, body);
    EXPECT_EQ(answer.status, 400) << answer.body;
    const auto document = json::Document::parse(answer.body, "answer");
    EXPECT_TRUE(document.ok());
    const json::Value error = document->root().find("error");
    return std::string(error.find("param").as_string().value_or("null")) + " | " +
           std::string(error.find("message").as_string().value_or(""));
  }

 private:
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<ApiServer> server_;
};

TEST(ApiServerLimits, MorePromptsThanTheEngineHoldsAre400AndNotBusyForEver) {
  const SmallServer server;
  EXPECT_EQ(server.post("/v1/embeddings", R"({"input":["a","b","c","d","e"]})").status, 200);
  EXPECT_EQ(server.refusal_of("/v1/embeddings", R"({"input":["a","b","c","d","e","f"]})"),
            "input | input: 6 prompts, at most 5 expected");
  EXPECT_EQ(server.refusal_of("/v1/completions", R"({"prompt":["a","b","c","d","e","f"]})"),
            "prompt | prompt: 6 prompts, at most 5 expected");
}

TEST(ApiServerLimits, MorePromptsThanTheEngineHoldsWithTheirChoicesAre400) {
  const SmallServer server;
  // One of them runs, in both places.
  EXPECT_EQ(server.post("/v1/completions", R"({"prompt":["a","b","c","d"],"n":2})").status, 200);
  EXPECT_EQ(server.refusal_of("/v1/completions", R"({"prompt":["a","b","c","d","e"],"n":2})"),
            "prompt | prompt: 5 prompts, at most 4 expected with 2 choices each");
}

TEST(ApiServerLimits, MoreChoicesThanRunAtOnceNameTheirOwnField) {
  const SmallServer server;
  const std::string range = " is out of range, expected a whole number from 1 to 2";
  EXPECT_EQ(server.refusal_of("/v1/completions", R"({"prompt":"a","best_of":3})"),
            "best_of | best_of: 3" + range);
  EXPECT_EQ(server.refusal_of("/v1/completions", R"({"prompt":"a","n":3})"), "n | n: 3" + range);
}

}  // namespace
}  // namespace forge::server
