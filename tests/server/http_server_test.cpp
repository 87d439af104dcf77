// Trusts: what server.h says of starting, draining and stopping, and signal.h of waking.
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "forge/server/http/signal.h"
#include "tests/eventually.h"
#include "tests/server/test_client.h"
#include "tests/server/test_server.h"

namespace forge::server::http {
namespace {

using std::chrono::milliseconds;

std::string failure_of(ServerOptions options) {
  const auto server = Server::start(std::move(options), Router());
  return server.ok() ? "it started" : server.error().message;
}

TEST(HttpServer, SaysWhichAddressIsTaken) {
  TestServer server;
  ServerOptions options;
  options.port = server.port();
  EXPECT_EQ(failure_of(options),
            "cannot listen on 127.0.0.1:" + std::to_string(server.port()) +
                ": Address already in use: another --port, or 0 for any free one");
  options.host = "no.such.host.invalid";
  EXPECT_NE(failure_of(options).find("cannot listen on no.such.host.invalid:"), std::string::npos);
}

TEST(HttpServer, AddressesMayBeNamesAndOfVersion6) {
  for (const std::string host : {"localhost", "::1", "0.0.0.0"}) {
    ServerOptions options;
    options.host = host;
    const auto server = Server::start(std::move(options), Router());
    if (!server.ok() && host == "::1") continue;  // a machine without IPv6
    ASSERT_TRUE(server.ok()) << server.error().message;
    EXPECT_NE((*server)->port(), 0);
  }
}

TEST(HttpServer, AServerStartsAgainOnItsPortAtOnce) {
  uint16_t port = 0;
  {
    TestServer server;
    port = server.port();
    TestClient client(port);
    ASSERT_EQ(client.ask(get("/hello", "Connection: close\r\n")).status, 200);
  }
  ServerOptions options;
  options.port = port;
  TestServer again(std::move(options));
  EXPECT_EQ(TestClient(port).ask(get("/hello")).status, 200);
}

TEST(HttpServer, DrainingFinishesWhatIsInAndClosesWhatIsIdle) {
  TestServer server;
  TestClient idle(server.port());
  ASSERT_EQ(idle.ask(get("/hello")).status, 200);
  TestClient busy(server.port());
  ASSERT_TRUE(busy.send(get("/held")));
  TestClient sending(server.port());
  ASSERT_TRUE(sending.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\na"));
  TestClient connected(server.port());
  ASSERT_TRUE(eventually([&] { return server.server->n_connections() == 4; }));
  ASSERT_TRUE(eventually([&] { return server.seen->n_handlers_begun == 1; }));

  server.server->drain();
  // It connected before the drain, so what it sends now is not lost.
  const Answer first = connected.ask(get("/hello"));
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.header("connection"), "close");
  EXPECT_TRUE(idle.sees_close(kPatience));
  server.seen->is_released = true;
  const Answer finished = busy.read_answer();
  EXPECT_EQ(finished.body, "held");
  EXPECT_EQ(finished.header("connection"), "close");
  EXPECT_FALSE(server.server->wait_until_idle(milliseconds(10)));
  EXPECT_EQ(sending.ask("bc").body, "abc");
  EXPECT_TRUE(server.server->wait_until_idle(kPatience));
  EXPECT_FALSE(TestClient(server.port()).send(get("/hello")));
}

TEST(HttpServer, DrainingTakesInWhoWaitsInTheBacklog) {
  ServerOptions options;
  options.n_threads = 1;
  TestServer server(std::move(options));
  // The only thread accepts nobody meanwhile.
  TestClient blocking(server.port());
  ASSERT_TRUE(blocking.send(get("/block")));
  ASSERT_TRUE(eventually([&] { return server.seen->n_handlers_begun == 1; }));
  std::vector<TestClient> clients;
  for (int i = 0; i < 100; ++i) {
    clients.emplace_back(server.port());
    ASSERT_TRUE(clients.back().send(get("/hello")));
  }
  EXPECT_EQ(server.server->n_connections(), 1);
  server.server->drain();
  server.seen->is_released = true;
  EXPECT_EQ(blocking.read_answer().body, "held");
  for (auto& client : clients) EXPECT_EQ(client.read_answer().body, "hello");
  EXPECT_TRUE(server.server->wait_until_idle(kPatience));
}

TEST(HttpServer, DrainingGivesUpOnSilentConnections) {
  ServerOptions options;
  options.header_timeout = 2 * kPatience;
  TestServer server(std::move(options));
  TestClient silent(server.port());
  ASSERT_TRUE(eventually([&] { return server.server->n_connections() == 1; }));
  server.server->drain();
  EXPECT_TRUE(server.server->wait_until_idle(kPatience));
}

TEST(HttpServer, StoppingCutsWhatIsOpen) {
  TestServer server;
  TestClient waiting(server.port());
  ASSERT_TRUE(waiting.send(get("/wait")));
  TestClient flooded(server.port(), 4096);
  ASSERT_TRUE(flooded.send(get("/flood")));
  ASSERT_TRUE(eventually([&] { return server.seen->n_handlers_begun == 2; }));
  server.server->stop();
  EXPECT_EQ(server.seen->n_handlers_done, 2);
  EXPECT_EQ(server.server->n_connections(), 0);
}

TEST(HttpServer, AHandlerThatHangsIsDestroyedWithTheServer) {
  TestServer server;
  TestClient client(server.port());
  ASSERT_TRUE(client.send(get("/hang")));
  ASSERT_TRUE(eventually([&] { return server.seen->n_handlers_begun == 1; }));
  server.server.reset();
  EXPECT_EQ(server.seen->n_handlers_done, 1);
}

TEST(HttpSignal, LosesNoWakeUp) {
  asio::io_context context;
  Signal ping(context.get_executor());
  std::atomic<int> n_seen = 0;
  std::atomic<int> n_sent = 0;
  constexpr int kRounds = 20000;
  asio::co_spawn(
      context,
      [&]() -> asio::awaitable<void> {
        while (n_seen < kRounds) {
          co_await ping.wait();
          n_seen = n_sent.load();
        }
      },
      asio::detached);
  // Each round waits for the one before, so one lost wake-up would hang the test.
  std::thread sender([&] {
    for (int i = 1; i <= kRounds; ++i) {
      n_sent = i;
      ping.notify();
      while (n_seen < i) std::this_thread::yield();
    }
  });
  context.run();
  sender.join();
  EXPECT_EQ(n_seen, kRounds);
}

TEST(HttpSignal, RaisedBeforeTheWaitItReturnsAtOnceAndOnce) {
  asio::io_context context;
  Signal signal(context.get_executor());
  int n_woken = 0;
  signal.notify();
  signal.notify();
  asio::co_spawn(
      context,
      [&]() -> asio::awaitable<void> {
        co_await signal.wait();
        ++n_woken;
        co_await signal.wait();
        ++n_woken;
      },
      asio::detached);
  context.poll();
  EXPECT_EQ(n_woken, 1);
  signal.notify();
  context.poll();
  EXPECT_EQ(n_woken, 2);
}

TEST(HttpSignal, MayBeRaisedWhenItsWaiterAndContextAreGone) {
  std::optional<Signal> signal;
  {
    asio::io_context context;
    signal.emplace(context.get_executor());
    asio::co_spawn(
        context, [s = *signal]() mutable -> asio::awaitable<void> { co_await s.wait(); },
        asio::detached);
    context.poll();
  }
  signal->notify();
  signal->notify();
}

}  // namespace
}  // namespace forge::server::http
