// Trusts: what each client was promised: its whole answer, or none.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <string>
#include <vector>

#include "tests/cli/server_program.h"
#include "tests/eventually.h"

namespace forge::cli {
namespace {

using std::chrono::seconds;

std::string stream_request(int max_tokens) {
  return server::http::post("/v1/completions",
                            R"({"prompt": "Once", "stream": true, "ignore_eos": true, "seed": 1,)"
                            R"("stream_options": {"include_usage": true}, "max_tokens": )" +
                                std::to_string(max_tokens) + "}");
}

// A stream that has begun and goes on for long.
TestClient begin_long_stream(const ServerProgram& server) {
  TestClient client(server.port());
  EXPECT_TRUE(client.send(stream_request(100'000)));
  EXPECT_NE(client.read_until("data: ").find("200 OK"), std::string::npos);
  return client;
}

TEST(ServeStop, SigtermUnderLoadLosesNoAcceptedRequest) {
  constexpr int kStreams = 6;
  constexpr int kTokens = 300;
  const TemporaryFolder folder;
  const std::string log = folder.path("log");
  EndlessServer server({"--max-concurrent", "4", "--access-log", log});
  std::vector<TestClient> clients;
  for (int i = 0; i < kStreams; ++i) {
    clients.emplace_back(server.port());
    ASSERT_TRUE(clients.back().send(stream_request(kTokens)));
  }
  TestClient whole(server.port());  // not streamed: its answer is all of it
  ASSERT_TRUE(whole.send(server::http::post(
      "/v1/completions", R"({"prompt": "Once", "max_tokens": 300, "ignore_eos": true})")));
  TestClient idle(server.port());
  EXPECT_EQ(idle.ask(server::http::get("/health")).status, 200);
  ASSERT_TRUE(eventually([&] {
    return server.metric("forge_sequences_running") + server.metric("forge_requests_waiting") ==
           kStreams + 1;
  })) << "the load is too light to be caught under way";

  server.signal(SIGTERM);
  ASSERT_TRUE(eventually([&] { return TestClient(server.port()).fd() < 0; }));
  EXPECT_TRUE(idle.sees_close(kPatience));
  for (TestClient& client : clients) {
    const Answer answer = client.read_answer();
    EXPECT_EQ(answer.status, 200);
    const StreamText stream = read_stream(answer);
    EXPECT_TRUE(stream.is_whole) << answer.body;
    EXPECT_EQ(stream.finish_reason, "length");
    EXPECT_NE(answer.body.find(R"("completion_tokens":300)"), std::string::npos) << answer.body;
  }
  const Answer answer = whole.read_answer();
  EXPECT_TRUE(answer.is_whole);
  EXPECT_NE(answer.body.find(R"("completion_tokens":300)"), std::string::npos) << answer.body;
  EXPECT_EQ(server.wait(kPatience), 0);
  EXPECT_NE(server.err().find("stopping: "), std::string::npos);
  EXPECT_EQ(server.err().find("were cut"), std::string::npos) << server.err();
  EXPECT_EQ(read_file(log).find(R"("cut":true)"), std::string::npos);
}

TEST(ServeStop, AnIdleServerEndsAtOnceOnEitherSignal) {
  for (const int number : {SIGTERM, SIGINT}) {
    ServerProgram server;
    TestClient idle(server.port());
    EXPECT_EQ(idle.ask(server::http::get("/health")).status, 200);
    const auto begin = std::chrono::steady_clock::now();
    server.signal(number);
    EXPECT_EQ(server.wait(kPatience), 0);
    // The idle connection alone would live for 75 s, and --drain-timeout is 30 s.
    EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(10));
  }
}

TEST(ServeStop, ASecondSignalExitsAtOnce) {
  EndlessServer server;
  TestClient client = begin_long_stream(server);
  server.signal(SIGTERM);
  ASSERT_TRUE(eventually([&] { return server.err().find("stopping: ") != std::string::npos; }));
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(kPatience), 130);
  EXPECT_EQ(client.read_until("[DONE]").find("[DONE]"), std::string::npos);
}

TEST(ServeStop, TheDrainTimeoutCutsWhatTakesLonger) {
  EndlessServer server({"--drain-timeout", "0.1"});
  TestClient client = begin_long_stream(server);
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(kPatience), 0);
  EXPECT_NE(server.err().find("answers that took longer than 0.1 s were cut (--drain-timeout)"),
            std::string::npos)
      << server.err();
  EXPECT_EQ(client.read_until("[DONE]").find("[DONE]"), std::string::npos);
}

}  // namespace
}  // namespace forge::cli
