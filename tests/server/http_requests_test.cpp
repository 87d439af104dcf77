// Trusts: RFC 9110 and 9112 for what a server answers to which bytes; a client of the tests' own.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "forge/base/json.h"
#include "tests/eventually.h"
#include "tests/server/test_client.h"
#include "tests/server/test_server.h"

namespace forge::server::http {
namespace {

// The status, code and message of an answer in OpenAI's error format.
void expect_error(const Answer& answer, int status) {
  EXPECT_EQ(answer.status, status) << answer.body;
  EXPECT_EQ(answer.header("content-type"), "application/json");
  EXPECT_FALSE(answer.header("x-request-id").empty());
  const auto body = json::Document::parse(answer.body, "answer");
  ASSERT_TRUE(body.ok()) << answer.body;
  const json::Value error = body->root().find("error");
  EXPECT_TRUE(error.find("message").is_string()) << answer.body;
  EXPECT_TRUE(error.find("type").is_string()) << answer.body;
  EXPECT_TRUE(error.find("param").is_null()) << answer.body;
  EXPECT_FALSE(error.find("code").is_missing()) << answer.body;
}

TEST(HttpRequests, KeepsAConnectionForManyRequests) {
  TestServer server;
  TestClient client(server.port());
  for (int i = 0; i < 50; ++i) {
    const Answer answer = client.ask(post("/echo?a=1&b=%20", std::to_string(i)));
    ASSERT_EQ(answer.status, 200);
    ASSERT_EQ(answer.body, std::to_string(i));
    ASSERT_EQ(answer.version, "HTTP/1.1");
    EXPECT_EQ(answer.header("connection"), "");
    EXPECT_EQ(answer.header("x-request-line"), "POST /echo");  // the query is no part of it
  }
  EXPECT_EQ(server.server->n_connections(), 1);
  EXPECT_EQ(client.ask(get("/hello", "Connection: close\r\n")).header("connection"), "close");
  EXPECT_TRUE(client.sees_close(kPatience));
}

TEST(HttpRequests, AnswersPipelinedRequestsInOrder) {
  TestServer server;
  TestClient client(server.port());
  std::string requests = get("/slow");
  for (int i = 0; i < 20; ++i) requests += post("/echo", std::to_string(i));
  requests += get("/count") + get("/hello");
  ASSERT_TRUE(client.send(requests));
  EXPECT_EQ(client.read_answer().body, "slow");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client.read_answer().body, std::to_string(i));
  EXPECT_EQ(client.read_answer().body, "1\n2\n3\n4\n5\n");
  EXPECT_EQ(client.read_answer().body, "hello");
}

TEST(HttpRequests, PipelinedBytesBeyondTheReadAheadAreNotLost) {
  TestServer server;
  TestClient client(server.port());
  // While /slow runs, more waits than the server reads ahead.
  const std::string body(300 << 10, 'b');
  ASSERT_TRUE(client.send(get("/slow") + post("/echo", body) + get("/hello")));
  EXPECT_EQ(client.read_answer().body, "slow");
  EXPECT_TRUE(client.read_answer().body == body);
  EXPECT_EQ(client.read_answer().body, "hello");
}

TEST(HttpRequests, ByteByByteIsTheSame) {
  TestServer server;
  TestClient client(server.port());
  for (const char c : "\r\n" + post("/echo", "abc") + get("/things/a%2Fb%20c")) {
    ASSERT_TRUE(client.send({&c, 1}));
  }
  EXPECT_EQ(client.read_answer().body, "abc");
  EXPECT_EQ(client.read_answer().body, "a/b c");
}

TEST(HttpRequests, TakesChunkedBodies) {
  TestServer server;
  TestClient client(server.port());
  const std::string head =
      "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(client.ask(head + "3\r\nabc\r\n4;name=value\r\ndefg\r\n0\r\nTrailer: x\r\n\r\n").body,
            "abcdefg");
  EXPECT_EQ(client.ask(head + "0\r\n\r\n").body, "");
  EXPECT_EQ(client.ask(get("/hello")).body, "hello");
}

TEST(HttpRequests, SaysContinueBeforeABody) {
  TestServer server;
  TestClient client(server.port());
  ASSERT_TRUE(client.send(
      "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(client.ask("ok").body, "ok");
  expect_error(client.ask(post("/echo", "", "Expect: a miracle\r\n")), 417);
}

TEST(HttpRequests, ABodyThatIsRefusedIsNotContinued) {
  TestServer server;
  TestClient client(server.port());
  const Answer answer = client.ask(
      "POST /small HTTP/1.1\r\nHost: t\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n");
  expect_error(answer, 413);
  EXPECT_EQ(answer.header("connection"), "close");
}

TEST(HttpRequests, HeadIsGetWithoutTheBody) {
  TestServer server;
  TestClient client(server.port());
  const Answer answer = client.ask("HEAD /hello HTTP/1.1\r\nHost: t\r\n\r\n", true);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("content-length"), "5");
  EXPECT_EQ(client.ask("HEAD /count HTTP/1.1\r\nHost: t\r\n\r\n", true).status, 200);
  EXPECT_EQ(client.ask(get("/hello")).body, "hello");
}

TEST(HttpRequests, Http10ClosesAndStreamsWithoutChunks) {
  TestServer server;
  TestClient plain(server.port());
  const Answer answer = plain.ask("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_TRUE(plain.sees_close(kPatience));

  TestClient stream(server.port());
  ASSERT_TRUE(stream.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  EXPECT_EQ(stream.read_answer().header("connection"), "keep-alive");
  const Answer counted = stream.ask("GET /count HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(counted.body, "1\n2\n3\n4\n5\n");
  EXPECT_EQ(counted.header("transfer-encoding"), "");
  EXPECT_EQ(counted.header("connection"), "close");
}

TEST(HttpRequests, StreamsChunkByChunk) {
  TestServer server;
  TestClient client(server.port());
  const Answer answer = client.ask(get("/count"));
  EXPECT_EQ(answer.body, "1\n2\n3\n4\n5\n");
  EXPECT_EQ(answer.n_chunks, 5);
  EXPECT_EQ(answer.header("cache-control"), "no-cache");
  EXPECT_TRUE(answer.is_whole);
}

TEST(HttpRequests, RoutesByMethodAndPath) {
  TestServer server;
  TestClient client(server.port());
  EXPECT_EQ(client.ask(get("/things/one")).body, "exact");
  EXPECT_EQ(client.ask(get("/things/org/name")).body, "org/name");
  EXPECT_EQ(client.ask(get("http://test/things/x")).body, "x");
  expect_error(client.ask(get("/things/")), 404);
  expect_error(client.ask(get("/nowhere")), 404);
  const Answer wrong = client.ask(post("/hello", "", ""));
  expect_error(wrong, 405);
  EXPECT_EQ(wrong.header("allow"), "GET, HEAD, OPTIONS");
  expect_error(client.ask("BREW /hello HTTP/1.1\r\nHost: t\r\n\r\n"), 501);
}

TEST(HttpRequests, AnswersOptions) {
  TestServer server;
  TestClient client(server.port());
  const Answer answer = client.ask("OPTIONS /echo HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.header("allow"), "POST, OPTIONS");
  EXPECT_EQ(client.ask("OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n").status, 204);
}

TEST(HttpRequests, RequestIdsComeBackWhereTheyAreSane) {
  TestServer server;
  TestClient client(server.port());
  const auto id_for = [&client](const std::string& id) {
    return client.ask(get("/hello", "X-Request-Id: " + id + "\r\n")).header("x-request-id");
  };
  EXPECT_EQ(id_for("abc-1.2_3"), "abc-1.2_3");
  EXPECT_EQ(id_for(std::string(128, 'a')), std::string(128, 'a'));
  for (const std::string& bad : {std::string(129, 'a'), std::string("a b"), std::string("<x>")}) {
    const std::string id = id_for(bad);
    EXPECT_EQ(id.size(), 32U);
    EXPECT_NE(id, id_for(bad));
  }
}

TEST(HttpRequests, MalformedRequestsAreRefused) {
  TestServer server;
  const std::string host = "Host: t\r\n";
  struct Case {
    std::string bytes;
    int status;
  };
  const std::vector<Case> cases{
      {"nonsense\r\n\r\n", 400},
      {"GET\r\n\r\n", 400},
      {" GET / HTTP/1.1\r\n\r\n", 400},
      {"GET /hello\r\n\r\n", 400},
      {"GET /hello HTTP/2.0\r\n" + host + "\r\n", 505},
      {"GET /hello HTTP/0.9\r\n" + host + "\r\n", 505},
      {"GET /hello HTTQ/1.1\r\n" + host + "\r\n", 400},
      {"GET /hello HTTP/1.1\r\n\r\n", 400},                          // no Host
      {"GET /hello HTTP/1.1\r\n" + host + host + "\r\n", 400},       // two
      {"GET hello HTTP/1.1\r\n" + host + "\r\n", 400},               // no path
      {"GET /%zz HTTP/1.1\r\n" + host + "\r\n", 400},                // broken escape
      {"GET /% HTTP/1.1\r\n" + host + "\r\n", 400},                  //
      {"GET /%00 HTTP/1.1\r\n" + host + "\r\n", 400},                // control character
      {"GET /%ff HTTP/1.1\r\n" + host + "\r\n", 400},                // no UTF-8
      {"GET /a#b HTTP/1.1\r\n" + host + "\r\n", 400},                //
      {"GET /hello HTTP/1.1\r\n" + host + "no colon\r\n\r\n", 400},  //
      {"GET /hello HTTP/1.1\r\n" + host + "Na me: x\r\n\r\n", 400},
      {"GET /hello HTTP/1.1\r\n" + host + "Name : x\r\n\r\n", 400},
      {"GET /hello HTTP/1.1\r\n" + host + std::string("Name: a\0b\r\n\r\n", 13), 400},
      {"POST /echo HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n", 400},
      {"POST /echo HTTP/1.1\r\n" + host + "Content-Length: 1x\r\n\r\n", 400},
      {"POST /echo HTTP/1.1\r\n" + host + "Content-Length: 99999999999999999999\r\n\r\n", 400},
      {"POST /echo HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
      {"POST /echo HTTP/1.1\r\n" + host +
           "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       400},
      {"POST /echo HTTP/1.1\r\n" + host +
           "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n",
       400},
      {"POST /echo HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {"POST /echo HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, gzip\r\n\r\n", 501},
      {"POST /echo HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
       501},
      {"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"POST /echo HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400},
      {"POST /echo HTTP/1.1\r\n" + host +
           "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
       400},
      {"POST /echo HTTP/1.1\r\n" + host +
           "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
       400},
      {"POST /echo HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1;" +
           std::string(100 << 10, 'e') + "\r\n",
       431},
      {"CONNECT host:80 HTTP/1.1\r\n" + host + "\r\n", 400},
      {"\x16\x03\x01 this is TLS\r\n\r\n", 400},
  };
  for (const auto& [bytes, status] : cases) {
    SCOPED_TRACE(bytes.substr(0, 100));
    TestClient client(server.port());
    const Answer answer = client.ask(bytes);
    expect_error(answer, status);
    EXPECT_EQ(answer.header("connection"), "close");
    EXPECT_TRUE(client.sees_close(kPatience));
  }
  EXPECT_EQ(TestClient(server.port()).ask(get("/hello")).body, "hello");
}

}  // namespace
}  // namespace forge::server::http
