// Work that takes too long for an io thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace forge::server {

namespace asio = boost::asio;

/// Runs f on the pool and comes back to the coroutine's own executor with its result, or with what
/// it throws. The pool must end before the coroutine's execution context.
template <typename F>
asio::awaitable<std::invoke_result_t<F>> off_thread(asio::thread_pool& pool, F f) {
  const auto here = co_await asio::this_coro::executor;
  co_await asio::post(asio::bind_executor(pool, asio::use_awaitable));
  std::optional<std::invoke_result_t<F>> result;
  std::exception_ptr thrown;
  try {
    result.emplace(f());
  } catch (...) {
    thrown = std::current_exception();
  }
  co_await asio::post(asio::bind_executor(here, asio::use_awaitable));
  if (thrown) std::rethrow_exception(thrown);
  co_return std::move(*result);
}

}  // namespace forge::server
