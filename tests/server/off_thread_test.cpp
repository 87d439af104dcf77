// Trusts: what off_thread.h says of where a coroutine runs.
#include "forge/server/api/off_thread.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <stdexcept>
#include <thread>

namespace forge::server {
namespace {

/// Where off_thread() ran its function and where the coroutine went on.
struct Places {
  std::thread::id work;
  std::thread::id after;
  bool has_thrown = false;
};

asio::awaitable<void> visit(asio::thread_pool& pool, bool throws, Places& places) {
  const auto work = [&places, throws]() -> int {
    places.work = std::this_thread::get_id();
    if (throws) throw std::runtime_error("on purpose");
    return 5;
  };
  try {
    const int result = co_await off_thread(pool, work);
    EXPECT_EQ(result, 5);
  } catch (const std::runtime_error&) {
    places.has_thrown = true;
  }
  places.after = std::this_thread::get_id();
}

Places run(bool throws) {
  asio::io_context context;
  asio::thread_pool pool(1);
  Places places;
  asio::co_spawn(context, visit(pool, throws, places), asio::detached);
  context.run();
  pool.join();
  return places;
}

TEST(OffThread, RunsItsWorkElsewhereAndComesBack) {
  const Places places = run(false);
  EXPECT_FALSE(places.has_thrown);
  EXPECT_NE(places.work, std::this_thread::get_id());
  EXPECT_EQ(places.after, std::this_thread::get_id());
}

// The coroutine went on in the pool, beside its own thread.
TEST(OffThread, ComesBackWithAnException) {
  const Places places = run(true);
  EXPECT_TRUE(places.has_thrown);
  EXPECT_NE(places.work, std::this_thread::get_id());
  EXPECT_EQ(places.after, std::this_thread::get_id());
}

}  // namespace
}  // namespace forge::server
