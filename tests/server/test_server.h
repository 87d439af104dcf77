// A server with a few routes that show what a handler may do, for tests from outside.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "forge/server/http/server.h"
#include "tests/server/test_client.h"

namespace forge::server::http {

/// What the handlers and logs have seen. Any thread.
struct Seen {
  std::atomic<int> n_disconnects = 0;
  std::atomic<int> n_handlers_begun = 0;  // of /wait, /flood, /hang, /held and /block
  std::atomic<int> n_handlers_done = 0;
  std::atomic<bool> is_released = false;  // set by the test

  void add_line(std::string_view line);
  void add_problem(std::string_view problem);
  [[nodiscard]] std::vector<std::string> lines() const;
  [[nodiscard]] std::vector<std::string> problems() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
  std::vector<std::string> problems_;
};

/// The routes:
///   GET  /hello          "hello", public
///   POST /echo           the body, and "METHOD PATH" in X-Request-Line
///   POST /small          the same with a limit of 10 bytes
///   GET  /things/{id}    the path's tail
///   GET  /things/one     "exact"
///   GET  /count          a stream of "1\n" ... "5\n"
///   GET  /flood          a stream without end until the client has gone
///   GET  /wait           waits until the client has gone
///   GET  /hang           waits for what never comes
///   GET  /slow           "slow" after 200 ms
///   GET  /held           "held" when the test has set is_released
///   GET  /block          the same, and blocks its thread
///   GET  /throw          throws; /throw-late within a stream; /silent returns without an answer
struct TestServer {
  /// Fills in the logs; the rest is as given.
  explicit TestServer(ServerOptions options = {});
  ~TestServer() { seen->is_released = true; }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  std::unique_ptr<Seen> seen = std::make_unique<Seen>();
  std::unique_ptr<Server> server;
  [[nodiscard]] uint16_t port() const { return server->port(); }
};

}  // namespace forge::server::http
