// Trusts: the limits of ServerOptions as the header states them, seen by a client that breaks them.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/eventually.h"
#include "tests/server/test_client.h"
#include "tests/server/test_server.h"

namespace forge::server::http {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

TEST(HttpLimits, AHundredMegabytesAreRefusedBeforeTheyAreRead) {
  TestServer server;
  TestClient client(server.port());
  // The header alone: the answer must not wait for a body.
  const Answer answer =
      client.ask("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 100000000\r\n\r\n");
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.header("connection"), "close");
}

TEST(HttpLimits, AClientThatSendsARefusedBodyStillGetsTheAnswer) {
  TestServer server;
  TestClient client(server.port());
  ASSERT_TRUE(client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 100000000\r\n\r\n"));
  // More than the sockets' buffers hold. A close with these bytes unread would reset the
  // connection and destroy the answer.
  const std::string piece(1 << 20, 'x');
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(client.send(piece));
  EXPECT_EQ(client.read_answer().status, 413);
}

TEST(HttpLimits, ChunkedBodiesAreLimitedAsTheyCome) {
  ServerOptions options;
  options.max_body_bytes = 100;
  TestServer server(std::move(options));
  const std::string head = "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string chunk = "32\r\n" + std::string(50, 'x') + "\r\n";
  TestClient fits(server.port());
  EXPECT_EQ(fits.ask(head + chunk + chunk + "0\r\n\r\n").body, std::string(100, 'x'));
  TestClient does_not(server.port());
  EXPECT_EQ(does_not.ask(head + chunk + chunk + "1\r\n").status, 413);
}

TEST(HttpLimits, ARouteMayHaveItsOwn) {
  TestServer server;
  TestClient client(server.port());
  EXPECT_EQ(client.ask(post("/small", "0123456789")).status, 200);
  EXPECT_EQ(client.ask(post("/small", "0123456789x")).status, 413);
}

TEST(HttpLimits, LongHeadersAreRefused) {
  ServerOptions options;
  options.max_header_bytes = 1000;
  TestServer server(std::move(options));
  EXPECT_EQ(
      TestClient(server.port()).ask(get("/hello", "A: " + std::string(900, 'x') + "\r\n")).status,
      200);
  EXPECT_EQ(
      TestClient(server.port()).ask(get("/hello", "A: " + std::string(1000, 'x') + "\r\n")).status,
      431);
  EXPECT_EQ(TestClient(server.port()).ask(get("/" + std::string(1000, 'x'))).status, 414);
  std::string many;
  for (int i = 0; i < 200; ++i) many += "H" + std::to_string(i) + ": x\r\n";
  EXPECT_EQ(TestClient(server.port()).ask(get("/hello", many)).status, 431);
}

// It was 414 where the request line had come in an earlier read than the long line.
TEST(HttpLimits, ALongHeaderThatComesInPartsIsNoLongRequestLine) {
  TestServer server;
  TestClient client(server.port());
  ASSERT_TRUE(client.send("GET /hello HTTP/1.1\r\nHost: t\r\nX: "));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  ASSERT_TRUE(client.send(std::string(20'000, 'x')));
  EXPECT_EQ(client.read_answer().status, 431);
}

TEST(HttpLimits, AFloodOfHeadersEndsSoon) {
  TestServer server;
  TestClient client(server.port());
  ASSERT_TRUE(client.send("GET /hello HTTP/1.1\r\nHost: t\r\n"));
  const std::string line = "X-Flood: " + std::string(1000, 'x') + "\r\n";
  for (int i = 0; i < 20000 && client.send(line); ++i) {
  }
  EXPECT_EQ(client.read_answer().status, 431);
}

TEST(HttpLimits, EndlessTrailersAreRefused) {
  TestServer server;
  TestClient client(server.port());
  ASSERT_TRUE(client.send(
      "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"));
  const std::string line = "X-Flood: " + std::string(1000, 'x') + "\r\n";
  for (int i = 0; i < 1000 && client.send(line); ++i) {
  }
  EXPECT_EQ(client.read_answer().status, 431);
}

TEST(HttpLimits, SlowHeadersTimeOut) {
  ServerOptions options;
  options.header_timeout = milliseconds(200);
  TestServer server(std::move(options));
  TestClient client(server.port());
  const auto start = Clock::now();
  ASSERT_TRUE(client.send("GET /hello HTTP/1.1\r\n"));
  // A byte now and then must not prolong it.
  std::thread drip([&client] {
    while (client.send("x")) std::this_thread::sleep_for(milliseconds(20));
  });
  EXPECT_EQ(client.read_answer().status, 408);
  EXPECT_GE(Clock::now() - start, milliseconds(199));
  drip.join();
}

// The limit began anew with the first byte.
TEST(HttpLimits, TheFirstHeaderIsDueFromTheConnectionsStart) {
  ServerOptions options;
  options.header_timeout = milliseconds(2000);
  TestServer server(std::move(options));
  const auto start = Clock::now();
  TestClient client(server.port());
  std::this_thread::sleep_for(milliseconds(1500));
  ASSERT_TRUE(client.send("GET /hello HTTP/1.1\r\n"));
  EXPECT_EQ(client.read_answer().status, 408);
  EXPECT_LT(Clock::now() - start, milliseconds(3500));
}

TEST(HttpLimits, LaterHeadersAreDueFromTheirFirstByte) {
  ServerOptions options;
  options.header_timeout = milliseconds(2000);
  TestServer server(std::move(options));
  TestClient client(server.port());
  ASSERT_EQ(client.ask(get("/hello")).status, 200);
  std::this_thread::sleep_for(milliseconds(2200));
  ASSERT_TRUE(client.send("GET /hello HTTP/1.1\r\n"));
  EXPECT_EQ(client.ask("Host: t\r\n\r\n").status, 200);
  const auto start = Clock::now();
  ASSERT_TRUE(client.send("GET /hello HTTP/1.1\r\n"));
  EXPECT_EQ(client.read_answer().status, 408);
  EXPECT_GE(Clock::now() - start, milliseconds(1999));
}

TEST(HttpLimits, SlowBodiesTimeOut) {
  ServerOptions options;
  options.body_timeout = milliseconds(100);
  TestServer server(std::move(options));
  TestClient client(server.port());
  EXPECT_EQ(client.ask("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\nabc").status,
            408);
}

TEST(HttpLimits, SilentConnectionsAreClosed) {
  ServerOptions options;
  options.header_timeout = milliseconds(100);
  TestServer server(std::move(options));
  TestClient silent(server.port());
  EXPECT_TRUE(silent.sees_close(kPatience));
  EXPECT_TRUE(eventually([&] { return server.server->n_connections() == 0; }));
}

TEST(HttpLimits, IdleConnectionsAreClosed) {
  ServerOptions options;
  options.idle_timeout = milliseconds(300);
  TestServer server(std::move(options));
  TestClient idle(server.port());
  const auto start = Clock::now();
  ASSERT_EQ(idle.ask(get("/hello")).status, 200);
  EXPECT_TRUE(idle.sees_close(kPatience));
  EXPECT_GE(Clock::now() - start, milliseconds(299));
  EXPECT_TRUE(eventually([&] { return server.server->n_connections() == 0; }));
}

TEST(HttpLimits, ARequestCutShortLeavesNothingBehind) {
  TestServer server;
  {
    TestClient client(server.port());
    ASSERT_TRUE(client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\nabc"));
    client.end_sending();
    EXPECT_TRUE(client.sees_close(kPatience));
    TestClient reset(server.port());
    ASSERT_TRUE(reset.send("GET /hel"));
    reset.reset();
  }
  EXPECT_TRUE(eventually([&] { return server.server->n_connections() == 0; }));
}

TEST(HttpLimits, TooManyConnectionsAreTurnedAwayWithAnAnswer) {
  ServerOptions options;
  options.max_connections = 2;
  TestServer server(std::move(options));
  TestClient first(server.port());
  TestClient second(server.port());
  ASSERT_EQ(first.ask(get("/hello")).status, 200);
  ASSERT_EQ(second.ask(get("/hello")).status, 200);
  {
    TestClient third(server.port());
    const Answer answer = third.ask(get("/hello"));
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.header("retry-after"), "1");
    EXPECT_EQ(answer.header("connection"), "close");
  }
  second.close();
  ASSERT_TRUE(eventually([&] { return server.server->n_connections() == 1; }));
  EXPECT_EQ(TestClient(server.port()).ask(get("/hello")).status, 200);
}

// While they heard that there was no place they took it from those who came next.
TEST(HttpLimits, ClientsThatAreTurnedAwayTakeNoPlace) {
  ServerOptions options;
  options.max_connections = 1;
  TestServer server(std::move(options));
  TestClient served(server.port());
  ASSERT_TRUE(served.send(get("/wait")));
  ASSERT_TRUE(eventually([&] { return server.seen->n_handlers_begun == 1; }));
  // They do not close, so the server lingers on each for a second.
  std::vector<TestClient> clients;
  clients.emplace_back(server.port());
  EXPECT_EQ(clients.back().ask(get("/hello")).status, 503);
  served.close();
  ASSERT_TRUE(eventually([&] { return server.seen->n_handlers_done == 1; }));
  // Its place is free a moment after its handler has gone.
  int status = 503;
  for (int i = 0; i < 20 && status == 503; ++i) {
    clients.emplace_back(server.port());
    status = clients.back().ask(get("/hello")).status;
  }
  EXPECT_EQ(status, 200);
}

}  // namespace
}  // namespace forge::server::http
