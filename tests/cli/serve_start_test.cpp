// Trusts: docs/serving.md and docs/cli.md, by what a server started as a program says and answers.
#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <vector>

#include "tests/cli/server_program.h"
#include "tests/eventually.h"
#include "tests/server/tls_client.h"

namespace forge::cli {
namespace {

TEST(ServeStart, AFreePortIsPrintedAndItsRoutesAnswer) {
  const ServerProgram server;
  ASSERT_EQ(server.url().substr(0, 17), "http://127.0.0.1:") << server.err();
  const Answer health = server.get("/health");
  EXPECT_EQ(health.status, 200);
  const json::Document said = parse_json(health.body);
  EXPECT_EQ(said.root().find("status").as_string(), "ok");
  EXPECT_EQ(said.root().find("device").as_string(), "cpu");
  EXPECT_EQ(said.root().find("layers").as_int(), 5);
  EXPECT_EQ(said.root().find("max_length").as_int(), 512);
  EXPECT_EQ(server.get("/ready").body, R"({"ready":true})");
  const json::Document models = parse_json(server.get("/v1/models").body);
  const json::Value model = models.root().find("data").at(0);
  EXPECT_EQ(model.find("id").as_string(), "forge-stories");
  EXPECT_EQ(model.find("ready").as_bool(), true);
  EXPECT_EQ(server.get("/v1/models/forge%2Dstories").status, 200);
  EXPECT_EQ(server.get("/v1/models/other").status, 404);
  EXPECT_EQ(server.metric("forge_sequences_running"), 0.0);
  EXPECT_EQ(server.out(), "");
}

TEST(ServeStart, TheEnvironmentGivesModelAndPort) {
  const ServerProgram server({"--served-model-name", "tales"},
                             {{"FORGE_MODEL", stories_gguf()}, {"FORGE_PORT", "0"}});
  ASSERT_NE(server.port(), 0) << server.err();
  const json::Document models = parse_json(server.get("/v1/models").body);
  EXPECT_EQ(models.root().find("data").at(0).find("id").as_string(), "tales");
  // A flag wins, and a second server cannot have the port of the first.
  ServerProgram second({"--port", std::to_string(server.port())}, {{"FORGE_PORT", "0"}});
  EXPECT_EQ(second.url(), "");
  EXPECT_EQ(second.wait(std::chrono::seconds(20)), 1);
  EXPECT_NE(second.err().find("cannot listen on 127.0.0.1:"), std::string::npos) << second.err();
  EXPECT_NE(second.err().find("in use"), std::string::npos) << second.err();
}

TEST(ServeStart, WhatCannotBeServedIsOneErrorAndAnExitCode) {
  const TemporaryFolder folder;
  const std::string no_pem = folder.write("no.pem", "not a certificate\n");
  const std::string no_keys = folder.write("no_keys", "# only a comment\n\n");
  struct Case {
    std::vector<std::string> arguments;
    int exit_code;
    std::string message;
  };
  const Case cases[] = {
      {{"--host", "0.0.0.0"}, 2, "--allow-open"},
      {{"--host", "::"}, 2, "--allow-open"},
      {{"--port", "65536"}, 2, "--port 65536"},
      {{"--port", "http"}, 2, "--port http: not a number that it takes"},
      {{"--tls-cert", no_pem}, 2, "--tls-cert and --tls-key go together"},
      {{"--tls-cert", no_pem, "--tls-key", no_pem}, 1, no_pem},
      {{"--tls-cert", "/nonexistent", "--tls-key", no_pem}, 1, "/nonexistent"},
      {{"--api-key-file", "/nonexistent"}, 1, "/nonexistent"},
      {{"--api-key-file", no_keys}, 1, "no key in it"},
      {{"--api-key", ""}, 2, "--api-key"},
      {{"--access-log", "/nonexistent/log"}, 1, "--access-log /nonexistent/log"},
      {{"--host", "host.invalid", "--api-key", "k"}, 1, "cannot listen on host.invalid"},
      {{"--prompt-share", "0"}, 2, "--prompt-share 0"},
      {{"--drain-timeout", "-1"}, 2, "--drain-timeout -1"},
      {{"--queue-timeout", "nan"}, 2, "--queue-timeout nan"},
      {{"--max-concurrent", "-1"}, 2, "--max-concurrent -1"},
      {{"--ctx", "100000"}, 2, "100000"},
      {{"--kv-cache-tokens", "16"}, 2, "--kv-cache-tokens 16: a context of 512 does not fit"},
      {{"--kv-cache-tokens", "1000000000"}, 1, "left: --kv-cache-tokens "},
      {{"--max-step-tokens", "20", "--max-concurrent", "30"}, 2, "--max-concurrent 30: more than"},
      {{"--cors-origin", "https://chat.example/"}, 2, "--cors-origin https://chat.example/"},
      {{"--cors-origin", "chat.example"}, 2, "expected * or SCHEME://HOST"},
      {{"--pooling", "max"}, 2, "--pooling max"},
      {{"/nonexistent.gguf"}, 1, "/nonexistent.gguf"},
  };
  for (const Case& c : cases) {
    std::vector<std::string> arguments = {"serve"};
    arguments.insert(arguments.end(), c.arguments.begin(), c.arguments.end());
    const Outcome outcome = run_forge(arguments, "", {{"FORGE_PORT", "0"}});
    EXPECT_EQ(outcome.exit_code, c.exit_code) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    ASSERT_FALSE(outcome.err_lines().empty());
    const std::string last = outcome.err_lines().back();
    EXPECT_TRUE(last.starts_with("forge: error: ")) << outcome.err;
    EXPECT_NE(last.find(c.message), std::string::npos) << outcome.err;
  }
}

TEST(ServeStart, AVariableThatIsWrongIsNamed) {
  const Outcome outcome = run_forge({"serve"}, "", {{"FORGE_PORT", "http"}});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.err,
            "forge: error: FORGE_PORT=http: not a number that --port takes (see forge serve "
            "--help)\n");
}

TEST(ServeStart, AnOpenServerWarns) {
  const ServerProgram server({"--port", "0", "--host", "0.0.0.0", "--allow-open"});
  EXPECT_EQ(server.get("/health").status, 200);
  EXPECT_NE(server.err().find("warning: anyone who can reach this address"), std::string::npos);
}

TEST(ServeStart, KeysComeFromFlagsAndAFile) {
  const TemporaryFolder folder;
  const std::string file = folder.write("keys", "# who may\nalice  sk-alice-1\r\n\n  sk-anybody\n");
  const std::string log = folder.path("log");
  const ServerProgram server({"--port", "0", "--host", "0.0.0.0", "--api-key", "sk-flag",
                              "--api-key-file", file, "--access-log", log});
  EXPECT_EQ(server.err().find("warning"), std::string::npos) << server.err();
  for (const std::string key : {"sk-flag", "sk-alice-1", "sk-anybody"}) {
    const std::string line = "Authorization: Bearer " + key + "\r\n";
    EXPECT_EQ(server.get("/v1/models", line).status, 200) << key;
  }
  for (const std::string key : {"alice", "sk-alice", "sk-alice-11", "#", ""}) {
    const Answer answer = server.get("/v1/models", "Authorization: Bearer " + key + "\r\n");
    EXPECT_EQ(answer.status, 401) << key;
    EXPECT_EQ(answer.header("www-authenticate"), "Bearer");
  }
  EXPECT_EQ(server.get("/health").status, 200);
  EXPECT_EQ(server.get("/ready").status, 200);
  EXPECT_EQ(server.get("/metrics").status, 401);
  EXPECT_EQ(server.get("/nowhere").status, 401);
  ASSERT_TRUE(eventually([&] { return read_file(log).find("/nowhere") != std::string::npos; }));
  const std::string lines = read_file(log);
  EXPECT_NE(lines.find(R"("client":"alice")"), std::string::npos) << lines;
  EXPECT_NE(lines.find(R"("client":"key-1")"), std::string::npos) << lines;
  EXPECT_EQ(lines.find("sk-"), std::string::npos) << lines;
}

TEST(ServeStart, PublicMetricsNeedNoKey) {
  const ServerProgram server({"--port", "0", "--api-key", "k", "--public-metrics"});
  EXPECT_EQ(server.get("/metrics").status, 200);
  EXPECT_EQ(server.get("/v1/models").status, 401);
}

TEST(ServeStart, ACertificateMakesItHttps) {
  const server::http::TestCertificate certificate;
  ServerProgram server(
      {"--port", "0", "--tls-cert", certificate.cert(), "--tls-key", certificate.key()});
  ASSERT_TRUE(server.url().starts_with("https://127.0.0.1:")) << server.err();
  server::http::TlsClient client(server.port());
  ASSERT_TRUE(client.is_connected());
  EXPECT_EQ(client.ask(server::http::post("/v1/completions", R"({"prompt": "The"})")).status, 200);
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(std::chrono::seconds(20)), 0);
}

}  // namespace
}  // namespace forge::cli
