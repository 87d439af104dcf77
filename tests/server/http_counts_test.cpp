// Trusts: what server_options.h says of its events.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tests/eventually.h"
#include "tests/server/test_client.h"
#include "tests/server/test_server.h"

namespace forge::server::http {
namespace {

TEST(HttpCounts, AnswersByRouteAndConnectionsToTheirEnd) {
  std::mutex mutex;
  std::vector<std::pair<std::string, int>> answers;
  std::atomic<int> n_open = 0;
  std::atomic<int> n_opened = 0;
  ServerOptions options;
  options.api_keys = {{"key-1", "secret"}};
  options.on_answer = [&](const std::string& route, int status) {
    const std::lock_guard lock(mutex);
    answers.emplace_back(route, status);
  };
  options.on_connection_open = [&] {
    ++n_opened;
    ++n_open;
  };
  options.on_connection_closed = [&] { --n_open; };
  TestServer server(std::move(options));
  {
    TestClient client(server.port());
    TestClient other(server.port());
    const std::string key = "Authorization: Bearer secret\r\n";
    EXPECT_EQ(client.ask(get("/things/a/b", key)).status, 200);
    EXPECT_EQ(client.ask(get("/things/one", key)).status, 200);
    EXPECT_EQ(client.ask(get("/things/one")).status, 401);
    EXPECT_EQ(client.ask(get("/no/such/route", key)).status, 404);
    EXPECT_EQ(client.ask(post("/small", std::string(11, 'a'), key)).status, 413);
    EXPECT_TRUE(other.send(get("/wait", key)));
    EXPECT_TRUE(eventually([&] { return n_opened == 2; }));
  }
  EXPECT_TRUE(eventually([&] { return n_open == 0; }));
  EXPECT_EQ(n_opened, 2);
  std::sort(answers.begin(), answers.end());
  const std::vector<std::pair<std::string, int>> expected = {
      {"", 401},     {"", 404}, {"/small", 413}, {"/things/one", 200}, {"/things/{id}", 200},
      {"/wait", 499}};
  EXPECT_EQ(answers, expected);
}

}  // namespace
}  // namespace forge::server::http
