// Trusts: the promises of Response and Server about clients that leave, do not read, or are many.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "forge/base/open_files.h"
#include "tests/eventually.h"
#include "tests/sanitizers.h"
#include "tests/server/test_client.h"
#include "tests/server/test_server.h"

namespace forge::server::http {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

/// A client in whose /wait the handler waits.
TestClient wait_in(const TestServer& server) {
  const int n_before = server.seen->n_handlers_begun;
  TestClient client(server.port());
  EXPECT_TRUE(client.send(get("/wait")));
  EXPECT_TRUE(eventually([&] { return server.seen->n_handlers_begun == n_before + 1; }));
  return client;
}

TEST(HttpConnections, ADisconnectIsSeenWhileTheHandlerRuns) {
  TestServer server;
  for (int round = 1; round <= 3; ++round) {
    TestClient client = wait_in(server);
    ASSERT_EQ(server.seen->n_disconnects, round - 1);
    if (round == 1) client.close();
    if (round == 2) client.reset();
    if (round == 3) client.end_sending();
    ASSERT_TRUE(eventually([&] { return server.seen->n_handlers_done == round; }));
    EXPECT_EQ(server.seen->n_disconnects, round);
  }
  ASSERT_TRUE(eventually([&] { return server.seen->lines().size() == 3; }));
  EXPECT_NE(server.seen->lines()[0].find("\"status\":499"), std::string::npos);
}

TEST(HttpConnections, ADisconnectIsSeenBehindPipelinedRequests) {
  TestServer server;
  TestClient client = wait_in(server);
  ASSERT_TRUE(client.send(get("/hello") + get("/wait")));
  client.close();
  EXPECT_TRUE(eventually([&] { return server.server->n_connections() == 0; }));
  EXPECT_GE(server.seen->n_disconnects, 1);
}

TEST(HttpConnections, AClientThatOnlyEndsItsSideStillGetsAWholeAnswer) {
  TestServer server;
  TestClient client(server.port());
  ASSERT_TRUE(client.send(get("/slow") + get("/hello")));
  client.end_sending();
  EXPECT_EQ(client.read_answer().body, "slow");
  EXPECT_EQ(client.read_answer().body, "hello");
  EXPECT_TRUE(client.sees_close(kPatience));
}

TEST(HttpConnections, AStreamEndsWithItsClient) {
  TestServer server;
  TestClient client(server.port());
  ASSERT_TRUE(client.send(get("/flood")));
  EXPECT_NE(client.read_until("xxxx").find("HTTP/1.1 200"), std::string::npos);
  client.close();
  EXPECT_TRUE(eventually([&] { return server.seen->n_handlers_done == 1; }));
  EXPECT_TRUE(eventually([&] { return server.server->n_connections() == 0; }));
}

int64_t resident_bytes() {
  int64_t pages = 0;
  int64_t resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

TEST(HttpConnections, SlowReadersHoldBackNobodyAndTakeNoMemory) {
  ServerOptions options;
  options.n_threads = 1;
  TestServer server(std::move(options));
  std::vector<TestClient> readers;
  const int64_t before = resident_bytes();
  for (int i = 0; i < 20; ++i) {
    readers.emplace_back(server.port(), 4096);
    ASSERT_TRUE(readers.back().send(get("/flood")));
  }
  // On the same thread, others go on at once. The floods meanwhile come to rest.
  TestClient other(server.port());
  for (int i = 0; i < 200; ++i) {
    const auto start = Clock::now();
    ASSERT_EQ(other.ask(get("/count")).n_chunks, 5);
    ASSERT_LT(Clock::now() - start, kPatience);
  }
  EXPECT_EQ(server.seen->n_handlers_done, 0);
  // What a flood may hold: one piece of 8 KiB, framed, and the read buffer.
  if (!kIsSanitized) {
    EXPECT_LT(resident_bytes() - before, 20 << 20);
  }
}

TEST(HttpConnections, AReaderThatStopsIsGivenUpAfterTheWriteTimeout) {
  ServerOptions options;
  options.write_timeout = milliseconds(200);
  TestServer server(std::move(options));
  TestClient stuck(server.port(), 4096);
  ASSERT_TRUE(stuck.send(get("/flood")));
  EXPECT_TRUE(eventually([&] { return server.seen->n_handlers_done == 1; }));
  EXPECT_TRUE(eventually([&] { return server.server->n_connections() == 0; }));
  EXPECT_NE(server.seen->lines().at(0).find("\"cut\":true"), std::string::npos);
}

TEST(HttpConnections, AThousandStreamsAtOnce) {
  constexpr int kClients = 1000;
  const Status room = allow_open_files(2 * kClients);  // both ends are ours
  if (!room.ok()) GTEST_SKIP() << room.error().message;
  TestServer server;
  std::vector<TestClient> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back(server.port());
    ASSERT_TRUE(clients.back().send(get("/wait")));
  }
  ASSERT_TRUE(eventually([&] { return server.server->n_connections() == kClients; }));
  // Beside them the server answers as ever.
  TestClient other(server.port());
  EXPECT_EQ(other.ask(get("/count")).n_chunks, 5);
  for (auto& client : clients) client.close();
  ASSERT_TRUE(eventually([&] { return server.seen->n_disconnects == kClients; }));
  EXPECT_TRUE(eventually([&] { return server.server->n_connections() == 1; }));
}

TEST(HttpConnections, WithoutFileDescriptorsItWaitsAndGoesOn) {
  // UBSan looks at memory through a pipe that it cannot open then.
  if (kIsSanitized) GTEST_SKIP() << "the sanitizers need file descriptors of their own";
  TestServer server;
  TestClient before(server.port());
  ASSERT_EQ(before.ask(get("/hello")).status, 200);
  // The client's own socket exists before the limit; accepting it would take one more.
  const int first_free = ::dup(before.fd());
  ::close(first_free);
  TestClient waiting = [&] {
    rlimit old{};
    ::getrlimit(RLIMIT_NOFILE, &old);
    const rlimit tight{static_cast<rlim_t>(first_free + 1), old.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &tight);
    TestClient client(server.port());
    EXPECT_TRUE(client.send(get("/hello")));
    EXPECT_TRUE(eventually([&] { return !server.seen->problems().empty(); }));
    EXPECT_EQ(before.ask(get("/hello")).status, 200);
    rusage start{};
    ::getrusage(RUSAGE_SELF, &start);
    EXPECT_FALSE(client.sees_close(milliseconds(300)));
    rusage end{};
    ::getrusage(RUSAGE_SELF, &end);
    // 300 ms of failing accepts must not be 300 ms of a busy core.
    const auto us = [](const rusage& u) {
      return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1'000'000 + u.ru_utime.tv_usec +
             u.ru_stime.tv_usec;
    };
    EXPECT_LT(us(end) - us(start), 150'000);
    ::setrlimit(RLIMIT_NOFILE, &old);
    return client;
  }();
  EXPECT_EQ(waiting.read_answer().body, "hello");
  EXPECT_EQ(server.seen->problems().size(), 1U);
}

}  // namespace
}  // namespace forge::server::http
