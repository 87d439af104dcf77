// Trusts: docs/api.md for each refusal, and that a server which refused goes on serving.
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "tests/cli/server_program.h"
#include "tests/eventually.h"

namespace forge::cli {
namespace {

using server::http::post;

constexpr const char* kShort = R"({"prompt": "Once", "max_tokens": 2})";
constexpr const char* kLong =
    R"({"prompt": "Once", "stream": true, "ignore_eos": true, "max_tokens": 100000})";

TestClient begin_long_stream(const ServerProgram& server) {
  TestClient client(server.port());
  EXPECT_TRUE(client.send(post("/v1/completions", kLong)));
  EXPECT_NE(client.read_until("data: ").find("200 OK"), std::string::npos);
  return client;
}

std::string error_type(const Answer& answer) {
  const json::Document said = parse_json(answer.body);
  return std::string(said.root().find("error").find("type").as_string().value_or("none"));
}

TEST(ServeLimits, AFullQueueIs429WithRetryAfter) {
  const EndlessServer server({"--max-concurrent", "1", "--max-queue", "1"});
  TestClient running = begin_long_stream(server);
  TestClient waiting(server.port());
  ASSERT_TRUE(waiting.send(post("/v1/completions", kShort)));
  ASSERT_TRUE(eventually([&] { return server.metric("forge_requests_waiting") == 1; }));
  const Answer refused = server.post("/v1/completions", kShort);
  EXPECT_EQ(refused.status, 429) << refused.body;
  EXPECT_EQ(error_type(refused), "rate_limit_error");
  EXPECT_GE(std::stoi("0" + refused.header("retry-after")), 1);
  EXPECT_EQ(server.metric(R"(forge_requests_aborted_total{reason="queue_full"})"), 1);
  running.close();
  EXPECT_EQ(waiting.read_answer().status, 200);
  EXPECT_EQ(server.post("/v1/completions", kShort).status, 200);
}

TEST(ServeLimits, WaitingTooLongIs503) {
  const EndlessServer server({"--max-concurrent", "1", "--queue-timeout", "0.1"});
  const TestClient running = begin_long_stream(server);
  const Answer late = server.post("/v1/completions", kShort);
  EXPECT_EQ(late.status, 503) << late.body;
  EXPECT_EQ(error_type(late), "service_unavailable_error");
  EXPECT_NE(late.header("retry-after"), "");
  EXPECT_NE(late.body.find("queue timeout"), std::string::npos) << late.body;
  EXPECT_EQ(server.metric("forge_sequences_running"), 1);
}

TEST(ServeLimits, ARequestThatTakesTooLongIsEnded) {
  const EndlessServer server({"--max-concurrent", "1", "--request-timeout", "2"});
  constexpr const char* kWhole = R"({"prompt": "Once", "ignore_eos": true, "max_tokens": 100000})";
  const Answer whole = server.post("/v1/completions", kWhole);
  EXPECT_EQ(whole.status, 503) << whole.body;
  const json::Document said = parse_json(whole.body);
  EXPECT_EQ(said.root().find("error").find("code").as_string(), "timeout");
  // In a stream that has begun: an event, and a proper end.
  const Answer streamed = server.post("/v1/completions", kLong);
  EXPECT_EQ(streamed.status, 200);
  const StreamText stream = read_stream(streamed);
  EXPECT_NE(stream.error, "") << streamed.body;
  EXPECT_TRUE(stream.is_whole) << streamed.body;
  EXPECT_EQ(server.metric(R"(forge_requests_aborted_total{reason="timeout"})"), 2);
  EXPECT_EQ(server.post("/v1/completions", kShort).status, 200);
}

TEST(ServeLimits, ARequestsOwnTimeoutCounts) {
  const EndlessServer server({"--max-concurrent", "1"});
  const Answer answer = server.post(
      "/v1/completions",
      R"({"prompt": "Once", "ignore_eos": true, "max_tokens": 100000, "timeout": 0.1})");
  EXPECT_EQ(answer.status, 503) << answer.body;
}

TEST(ServeLimits, TheBlocksOfAClientThatLeftAreBack) {
  const EndlessServer server({"--max-concurrent", "1"});
  const std::string used = R"(forge_kv_cache_blocks{state="used"})";
  for (const bool is_orderly : {true, false}) {
    TestClient client = begin_long_stream(server);
    EXPECT_TRUE(eventually([&] { return server.metric(used) > 0; }));
    is_orderly ? client.close() : client.reset();
    EXPECT_TRUE(eventually([&] { return server.metric(used) == 0; }));
  }
  // One that waits in the queue costs nothing either once it has left.
  TestClient running = begin_long_stream(server);
  TestClient waiting(server.port());
  ASSERT_TRUE(waiting.send(post("/v1/completions", kLong)));
  ASSERT_TRUE(eventually([&] { return server.metric("forge_requests_waiting") == 1; }));
  waiting.close();
  EXPECT_TRUE(eventually([&] { return server.metric("forge_requests_waiting") == 0; }));
  running.close();
  EXPECT_TRUE(eventually([&] { return server.metric(used) == 0; }));
  EXPECT_EQ(server.metric(R"(forge_requests_aborted_total{reason="client_gone"})"), 4);
  EXPECT_EQ(server.metric(R"(forge_engine_requests_total{outcome="cancelled"})"), 4);
  EXPECT_EQ(server.metric(R"(forge_engine_requests_total{outcome="finished"})"), 0);
}

// It had the soft limit it was started with, and stopped accepting at the usual 1024 files.
TEST(ServeLimits, TheLimitOfOpenFilesIsRaised) {
  const TemporaryFolder folder;
  const Outcome outcome =
      run_shell("ulimit -Sn 64; FORGE_PORT=0 $FORGE serve 2> " + folder.path("err") +
                " & server=$!\n"
                "until grep -qs listening " +
                folder.path("err") +
                "; do sleep 0.02; done\n"
                "grep 'open files' /proc/$server/limits; kill $server; wait $server");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  std::istringstream words(outcome.out.substr(std::string("Max open files").size()));
  std::string soft;
  std::string hard;
  words >> soft >> hard;
  EXPECT_EQ(soft, hard) << outcome.out;
}

TEST(ServeLimits, HostileRequestsAreAnsweredAndTheServerGoesOn) {
  const ServerProgram server({"--port", "0", "--max-body", "1"});
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  std::string wide = R"({"prompt": "x")";
  for (int i = 0; i < 20'000; ++i) wide += R"(, "k)" + std::to_string(i) + R"(": 1)";
  wide += "}";
  struct Case {
    std::string what;
    std::string bytes;
    int status;
  };
  const std::string head = "POST /v1/completions HTTP/1.1\r\nHost: test\r\n";
  const Case cases[] = {
      {"nested arrays", post("/v1/completions", deep), 400},
      {"many members", post("/v1/completions", wide), 400},
      {"a prompt of deep arrays", post("/v1/completions", "{\"prompt\": " + deep + "}"), 400},
      {"a huge number", post("/v1/completions", R"({"prompt": "x", "seed": 1e999})"), 400},
      {"no UTF-8", post("/v1/completions", "{\"prompt\": \"\xff\xfe\"}"), 400},
      {"no JSON", post("/v1/completions", "prompt=x"), 400},
      {"nothing", post("/v1/completions", ""), 400},
      {"an array", post("/v1/completions", "[]"), 400},
      {"100 MB announced", head + "Content-Length: 104857600\r\n\r\n", 413},
      {"2 MB sent", post("/v1/completions", std::string(2 << 20, 'a')), 413},
      {"2 MB in chunks",
       head + "Transfer-Encoding: chunked\r\n\r\n200000\r\n" + std::string(0x200000, 'a'), 413},
      {"a prompt that is too long",
       post("/v1/completions", "{\"prompt\": \"" + std::string(500'000, 'a') + "\"}"), 400},
      {"two lengths", head + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", 400},
      {"a negative length", head + "Content-Length: -1\r\n\r\n", 400},
      {"length and chunks",
       head + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"a huge header", head + "X: " + std::string(100'000, 'x') + "\r\n\r\n", 431},
      {"no HTTP", "\x16\x03\x01\x02\x00\x01 TLS hello\r\n\r\n", 400},
      {"a space in a name", "GET /health HTTP/1.1\r\nHo st: test\r\n\r\n", 400},
      {"another version", "GET /health HTTP/3.0\r\nHost: test\r\n\r\n", 505},
  };
  for (const Case& c : cases) {
    TestClient client(server.port());
    client.send(c.bytes);  // may be answered before all of it is sent
    const Answer answer = client.read_answer();
    if (c.status == 400) {
      EXPECT_TRUE(answer.status >= 400 && answer.status < 500 && answer.status != 401)
          << c.what << ": " << answer.status;
    } else {
      EXPECT_EQ(answer.status, c.status) << c.what;
    }
    EXPECT_NE(error_type(answer), "none") << c.what << ": " << answer.body;
    EXPECT_EQ(server.post("/v1/completions", kShort).status, 200) << "after " << c.what;
  }
  EXPECT_TRUE(
      eventually([&] { return server.metric(R"(forge_kv_cache_blocks{state="used"})") == 0; }));
}

}  // namespace
}  // namespace forge::cli
