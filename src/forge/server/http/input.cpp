#include "forge/server/http/input.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>
#include <vector>

#include "forge/base/check.h"

namespace forge::server::http {
namespace {

// Every open connection holds this much; a TLS record of 16 KiB is two reads.
constexpr size_t kReadBytes = 8 << 10;

}  // namespace

Input::Input(Transport& transport, const asio::any_io_executor& executor, size_t capacity)
    : transport_(transport), capacity_(capacity), news_(executor), room_(executor) {}

asio::awaitable<void> Input::run() {
  std::vector<char> chunk(kReadBytes);
  while (!has_ended_) {
    if (unread().size() >= capacity_) {
      room_.expires_at(Clock::time_point::max());
      boost::system::error_code ignored;
      co_await room_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      continue;
    }
    const size_t n = co_await transport_.read_some(asio::buffer(chunk));
    if (n == 0) {
      end();
    } else {
      buffer_.append(chunk.data(), n);
      news_.cancel();
    }
  }
}

void Input::take(size_t n_bytes) {
  FORGE_CHECK(n_bytes <= unread().size(), "{} bytes of {}", n_bytes, unread().size());
  n_taken_ += n_bytes;
  if (n_taken_ == buffer_.size()) {
    // A thousand idle connections should not keep what their longest requests took.
    if (buffer_.capacity() > 2 * kReadBytes) std::string().swap(buffer_);
    buffer_.clear();
    n_taken_ = 0;
  } else if (n_taken_ > capacity_) {
    buffer_.erase(0, n_taken_);
    n_taken_ = 0;
  }
  room_.cancel();
}

asio::awaitable<Input::Wait> Input::wait_for_more(Clock::time_point deadline) {
  const size_t n_before = unread().size();
  is_woken_ = false;
  while (true) {
    if (unread().size() > n_before) co_return Wait::kMore;
    if (has_ended_) co_return Wait::kEnd;
    if (is_woken_) co_return Wait::kWoken;
    if (n_before >= capacity_) co_return Wait::kFull;
    if (Clock::now() >= deadline) co_return Wait::kTimeout;
    news_.expires_at(deadline);
    boost::system::error_code ignored;
    co_await news_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

void Input::wake() {
  is_woken_ = true;
  news_.cancel();
}

void Input::end() {
  if (std::exchange(has_ended_, true)) return;
  news_.cancel();
  room_.cancel();
  if (on_end_) on_end_();
}

}  // namespace forge::server::http
