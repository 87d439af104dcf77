#include "tests/server/test_server.h"

#include <gtest/gtest.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>

#include "forge/server/http/signal.h"

namespace forge::server::http {
namespace {

// Counts how often it comes and goes: a handler's locals must be destroyed however it ends.
class HandlerCounter {
 public:
  explicit HandlerCounter(Seen& seen) : seen_(seen) { ++seen_.n_handlers_begun; }
  ~HandlerCounter() { ++seen_.n_handlers_done; }
  HandlerCounter(const HandlerCounter&) = delete;
  HandlerCounter& operator=(const HandlerCounter&) = delete;

 private:
  Seen& seen_;
};

Reply text_reply(std::string_view text) {
  Reply reply;
  reply.content_type = "text/plain";
  reply.body = text;
  return reply;
}

asio::awaitable<void> say_hello(const Request&, Response& response) {
  Reply reply = text_reply("hello");
  co_await response.send(std::move(reply));
}

asio::awaitable<void> echo(const Request& request, Response& response) {
  Reply reply = text_reply(request.body);
  reply.headers.emplace_back("X-Request-Line", request.method + " " + request.path);
  response.note("n_body", static_cast<int64_t>(request.body.size()));
  co_await response.send(std::move(reply));
}

asio::awaitable<void> show_tail(const Request& request, Response& response) {
  Reply reply = text_reply(request.path_tail);
  co_await response.send(std::move(reply));
}

asio::awaitable<void> count(const Request&, Response& response) {
  Headers headers;
  headers.emplace_back("Cache-Control", "no-cache");
  bool is_there = co_await response.begin_stream(200, "text/plain", std::move(headers));
  for (int i = 1; i <= 5 && is_there; ++i) {
    const std::string line = std::to_string(i) + "\n";
    is_there = co_await response.write(line);
  }
  co_await response.end_stream();
}

asio::awaitable<void> throw_late(const Request&, Response& response) {
  (void)co_await response.begin_stream(200, "text/plain", Headers());
  (void)co_await response.write("begun\n");
  throw std::runtime_error("too late");
}

asio::awaitable<void> slow(const Request&, Response& response) {
  asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(200));
  co_await timer.async_wait(asio::use_awaitable);
  Reply reply = text_reply("slow");
  co_await response.send(std::move(reply));
}

Router make_router(Seen& seen) {
  Router router;
  router.add({"GET", "/hello", say_hello, Access::kPublic});
  router.add({"POST", "/echo", echo});
  router.add({"POST", "/small", echo, Access::kKey, 10});
  router.add({"GET", "/things/{id}", show_tail});
  router.add({"GET", "/things/one", [](const Request&, Response& r) -> asio::awaitable<void> {
                Reply reply = text_reply("exact");
                co_await r.send(std::move(reply));
              }});
  router.add({"GET", "/count", count});
  router.add({"GET", "/slow", slow});
  router.add({"GET", "/throw", [](const Request&, Response&) -> asio::awaitable<void> {
                throw std::runtime_error("on purpose");
                co_return;
              }});
  router.add({"GET", "/throw-late", throw_late});
  router.add(
      {"GET", "/silent", [](const Request&, Response&) -> asio::awaitable<void> { co_return; }});
  router.add({"GET", "/flood", [&seen](const Request&, Response& r) -> asio::awaitable<void> {
                const HandlerCounter counter(seen);
                const std::string piece(8 << 10, 'x');
                bool is_there = co_await r.begin_stream(200, "text/plain", Headers());
                while (is_there) is_there = co_await r.write(piece);
              }});
  router.add({"GET", "/wait", [&seen](const Request&, Response& r) -> asio::awaitable<void> {
                const HandlerCounter counter(seen);
                Signal gone(co_await asio::this_coro::executor);
                r.on_disconnect([&seen, gone]() mutable {
                  ++seen.n_disconnects;
                  gone.notify();
                });
                co_await gone.wait();
                EXPECT_TRUE(r.is_disconnected());
              }});
  router.add({"GET", "/held", [&seen](const Request&, Response& r) -> asio::awaitable<void> {
                const HandlerCounter counter(seen);
                asio::steady_timer timer(co_await asio::this_coro::executor);
                while (!seen.is_released) {
                  timer.expires_after(std::chrono::milliseconds(1));
                  co_await timer.async_wait(asio::use_awaitable);
                }
                Reply reply = text_reply("held");
                co_await r.send(std::move(reply));
              }});
  router.add({"GET", "/block", [&seen](const Request&, Response& r) -> asio::awaitable<void> {
                const HandlerCounter counter(seen);
                while (!seen.is_released) std::this_thread::sleep_for(std::chrono::milliseconds(1));
                Reply reply = text_reply("held");
                co_await r.send(std::move(reply));
              }});
  router.add({"GET", "/hang", [&seen](const Request&, Response&) -> asio::awaitable<void> {
                const HandlerCounter counter(seen);
                Signal never(co_await asio::this_coro::executor);
                co_await never.wait();
              }});
  return router;
}

}  // namespace

void Seen::add_line(std::string_view line) {
  const std::lock_guard lock(mutex_);
  lines_.emplace_back(line);
}
void Seen::add_problem(std::string_view problem) {
  const std::lock_guard lock(mutex_);
  problems_.emplace_back(problem);
}
std::vector<std::string> Seen::lines() const {
  const std::lock_guard lock(mutex_);
  return lines_;
}
std::vector<std::string> Seen::problems() const {
  const std::lock_guard lock(mutex_);
  return problems_;
}

TestServer::TestServer(ServerOptions options) {
  options.access_log = [seen = seen.get()](std::string_view line) { seen->add_line(line); };
  options.on_problem = [seen = seen.get()](std::string_view text) { seen->add_problem(text); };
  auto started = Server::start(std::move(options), make_router(*seen));
  if (!started.ok()) {
    ADD_FAILURE() << started.error().message;
    std::abort();
  }
  server = std::move(started).value();
}

}  // namespace forge::server::http
