// Trusts: RFC 6750 for bearer keys, the Fetch standard for CORS, and the documented access log.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "forge/base/json.h"
#include "tests/eventually.h"
#include "tests/server/test_client.h"
#include "tests/server/test_server.h"

namespace forge::server::http {
namespace {

ServerOptions with_two_keys() {
  ServerOptions options;
  options.api_keys = {{"key-1", "secret-one"}, {"key-2", "secret-two"}};
  return options;
}

std::string bearer(std::string_view key) {
  return "Authorization: Bearer " + std::string(key) + "\r\n";
}

// The access log's line number i, once it is there.
json::Document line_of(const TestServer& server, size_t i) {
  EXPECT_TRUE(eventually([&] { return server.seen->lines().size() > i; }));
  return std::move(json::Document::parse(server.seen->lines().at(i), "line")).value();
}

TEST(HttpAccess, EachKeyLetsInUnderItsName) {
  TestServer server(with_two_keys());
  TestClient client(server.port());
  EXPECT_EQ(client.ask(post("/echo", "a", bearer("secret-one"))).status, 200);
  EXPECT_EQ(client.ask(post("/echo", "a", bearer("secret-two"))).status, 200);
  EXPECT_EQ(client.ask(post("/echo", "a", "authorization: bearer secret-two\r\n")).status, 200);
  EXPECT_EQ(line_of(server, 0).root().find("client").as_string(), "key-1");
  EXPECT_EQ(line_of(server, 1).root().find("client").as_string(), "key-2");
  for (const auto& line : server.seen->lines()) EXPECT_EQ(line.find("secret"), std::string::npos);
}

TEST(HttpAccess, EverythingElseIsKeptOut) {
  TestServer server(with_two_keys());
  for (const std::string& lines :
       {std::string(), bearer(""), bearer("secret-on"), bearer("secret-onex"), bearer("SECRET-ONE"),
        std::string("Authorization: Basic secret-one\r\n"),
        std::string("Authorization: secret-one\r\n")}) {
    SCOPED_TRACE(lines);
    TestClient client(server.port());
    const Answer answer = client.ask(get("/count", lines));
    EXPECT_EQ(answer.status, 401);
    EXPECT_EQ(answer.header("www-authenticate"), "Bearer");
    const auto body = json::Document::parse(answer.body, "answer");
    EXPECT_EQ(body->root().find("error").find("code").as_string(), "invalid_api_key");
    // Without a body to skip, the connection goes on.
    EXPECT_EQ(client.ask(get("/count", bearer("secret-one"))).status, 200);
  }
}

TEST(HttpAccess, PublicRoutesNeedNoKeyAndUnknownOnesDo) {
  TestServer server(with_two_keys());
  TestClient client(server.port());
  EXPECT_EQ(client.ask(get("/hello")).status, 200);
  EXPECT_EQ(client.ask("HEAD /hello HTTP/1.1\r\nHost: t\r\n\r\n", true).status, 200);
  EXPECT_EQ(client.ask(get("/nowhere")).status, 401);
  EXPECT_EQ(client.ask(get("/nowhere", bearer("secret-one"))).status, 404);
  EXPECT_EQ(client.ask(post("/hello", "")).status, 401);
}

TEST(HttpAccess, TheKeyIsCheckedBeforeTheBodyIsRead) {
  TestServer server(with_two_keys());
  TestClient client(server.port());
  const Answer answer = client.ask(
      "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 9000000\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(answer.header("connection"), "close");
}

TEST(HttpAccess, CorsNamesTheOriginsOfTheList) {
  ServerOptions options = with_two_keys();
  options.cors_origins = {"https://a.example", "https://b.example"};
  TestServer server(std::move(options));
  TestClient client(server.port());
  const Answer good = client.ask(get("/hello", "Origin: https://b.example\r\n"));
  EXPECT_EQ(good.header("access-control-allow-origin"), "https://b.example");
  EXPECT_EQ(good.header("vary"), "Origin");
  const Answer bad = client.ask(get("/hello", "Origin: https://c.example\r\n"));
  EXPECT_EQ(bad.header("access-control-allow-origin"), "");
  EXPECT_EQ(bad.header("vary"), "Origin");
  // A page must be able to read why it failed.
  const Answer error = client.ask(get("/count", "Origin: https://a.example\r\n"));
  EXPECT_EQ(error.status, 401);
  EXPECT_EQ(error.header("access-control-allow-origin"), "https://a.example");
}

TEST(HttpAccess, ForeignPagesAreKeptOutWhereNoKeyDoesIt) {
  const auto status = [](const ServerOptions& options, const std::string& lines) {
    TestServer server(options);
    TestClient client(server.port());
    return client.ask("GET /count HTTP/1.1\r\n" + lines + "\r\n").status;
  };
  const std::string local = "Host: 127.0.0.1:8080\r\n";
  EXPECT_EQ(status({}, local), 200);
  EXPECT_EQ(status({}, local + "Origin: https://evil.example\r\n"), 403);
  EXPECT_EQ(status({}, local + "Origin: null\r\n"), 403);
  EXPECT_EQ(status({}, local + "Origin: http://127.0.0.1:8080\r\n"), 200);
  EXPECT_EQ(status({}, "Host: localhost:1\r\nOrigin: http://localhost:1\r\n"), 200);
  EXPECT_EQ(status({}, "Host: [::1]:1\r\nOrigin: http://[::1]:1\r\n"), 200);
  // Its own name, which now leads here.
  EXPECT_EQ(status({}, "Host: evil.example:1\r\nOrigin: http://evil.example:1\r\n"), 403);
  ServerOptions with_page;
  with_page.cors_origins = {"https://good.example"};
  EXPECT_EQ(status(with_page, local + "Origin: https://good.example\r\n"), 200);
  EXPECT_EQ(status(with_page, local + "Origin: https://evil.example\r\n"), 403);
  const std::string key = bearer("secret-one");
  EXPECT_EQ(status(with_two_keys(), local + key + "Origin: https://evil.example\r\n"), 200);
}

TEST(HttpAccess, PreflightsNeedNoKey) {
  ServerOptions options = with_two_keys();
  options.cors_origins = {"*"};
  TestServer server(std::move(options));
  TestClient client(server.port());
  const Answer answer = client.ask(
      "OPTIONS /echo HTTP/1.1\r\nHost: t\r\nOrigin: https://any.example\r\n"
      "Access-Control-Request-Method: POST\r\n"
      "Access-Control-Request-Headers: authorization,content-type\r\n\r\n");
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.header("access-control-allow-origin"), "*");
  EXPECT_EQ(answer.header("access-control-allow-methods"), "POST, OPTIONS");
  EXPECT_EQ(answer.header("access-control-allow-headers"), "authorization,content-type");
  EXPECT_EQ(answer.header("vary"), "");
}

TEST(HttpAccess, WithoutAListThereIsNoCors) {
  TestServer server;
  TestClient client(server.port());
  const Answer answer = client.ask(
      "OPTIONS /echo HTTP/1.1\r\nHost: t\r\nOrigin: https://any.example\r\n"
      "Access-Control-Request-Method: POST\r\n\r\n");
  EXPECT_EQ(answer.status, 204);
  for (const auto& [name, value] : answer.headers) {
    EXPECT_FALSE(name.starts_with("access-control")) << name;
  }
}

TEST(HttpAccess, TheLogTellsWhatHappenedAndNoTexts) {
  TestServer server;
  TestClient client(server.port());
  const Answer answer =
      client.ask(post("/echo?private=query", "private body", "X-Request-Id: my-id\r\n"));
  ASSERT_EQ(answer.status, 200);
  ASSERT_EQ(client.ask(get("/nowhere%0a")).status, 400);
  const std::string text = server.seen->lines().at(0);
  EXPECT_EQ(text.find("private"), std::string::npos);
  const auto document = line_of(server, 0);
  const json::Value line = document.root();
  EXPECT_EQ(line.find("id").as_string(), "my-id");
  EXPECT_EQ(line.find("method").as_string(), "POST");
  EXPECT_EQ(line.find("path").as_string(), "/echo");
  EXPECT_EQ(line.find("status").as_int(), 200);
  EXPECT_EQ(line.find("bytes").as_int(), 12);
  EXPECT_EQ(line.find("n_body").as_int(), 12);  // noted by the handler
  EXPECT_EQ(line.find("client").as_string(), "");
  EXPECT_TRUE(line.find("cut").is_missing());
  EXPECT_TRUE(line.find("peer").as_string()->starts_with("127.0.0.1:"));
  EXPECT_GE(*line.find("ms").as_double(), 0.0);
  EXPECT_LT(*line.find("ms").as_double(), 10000.0);
  EXPECT_EQ(line.find("time").as_string()->size(), std::string("2025-01-02T03:04:05.678Z").size());
  EXPECT_EQ(line_of(server, 1).root().find("status").as_int(), 400);
}

TEST(HttpAccess, HandlersThatFailAreAnsweredAndLogged) {
  TestServer server;
  TestClient client(server.port());
  for (const std::string path : {"/throw", "/silent"}) {
    const Answer answer = client.ask(get(path));
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(answer.body.find("on purpose"), std::string::npos);
  }
  EXPECT_EQ(client.ask(get("/hello")).status, 200);
  EXPECT_EQ(line_of(server, 0).root().find("error").as_string(), "on purpose");
  ASSERT_EQ(server.seen->problems().size(), 2U);
  EXPECT_NE(server.seen->problems()[0].find("on purpose"), std::string::npos);
}

TEST(HttpAccess, AStreamThatFailsIsCutNotEnded) {
  TestServer server;
  TestClient client(server.port());
  const Answer answer = client.ask(get("/throw-late"));
  EXPECT_FALSE(answer.is_whole);
  EXPECT_EQ(line_of(server, 0).root().find("cut").as_bool(), true);
}

}  // namespace
}  // namespace forge::server::http
