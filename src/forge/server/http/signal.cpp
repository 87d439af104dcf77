#include "forge/server/http/signal.h"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <mutex>
#include <utility>

#include "forge/base/check.h"

namespace forge::server::http {

// The timer that the waiter sleeps on lives in its coroutine, not here: so when an io_context is
// destroyed with the coroutine in it, what remains for notify() to touch is this flag alone.
struct Signal::State {
  explicit State(asio::any_io_executor e) : executor(std::move(e)) {}

  asio::any_io_executor executor;
  std::mutex mutex;
  bool is_up = false;
  asio::steady_timer* waiter = nullptr;
};

Signal::Signal(asio::any_io_executor executor)
    : state_(std::make_shared<State>(std::move(executor))) {}

asio::awaitable<void> Signal::wait() {
  // The Signal itself may go while we sleep.
  const std::shared_ptr<State> state = state_;
  asio::steady_timer sleep(state->executor, asio::steady_timer::time_point::max());
  struct Attachment {
    State& state;
    ~Attachment() {
      const std::lock_guard lock(state.mutex);
      state.waiter = nullptr;
    }
  };
  {
    const std::lock_guard lock(state->mutex);
    FORGE_CHECK(state->waiter == nullptr, "a second coroutine waits for one signal");
    state->waiter = &sleep;
  }
  const Attachment attachment{*state};
  while (true) {
    {
      const std::lock_guard lock(state->mutex);
      if (std::exchange(state->is_up, false)) co_return;
    }
    // A post cannot run between the look at the flag and here: it takes this very thread.
    boost::system::error_code ignored;
    co_await sleep.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

void Signal::notify() {
  const std::lock_guard lock(state_->mutex);
  if (std::exchange(state_->is_up, true) || state_->waiter == nullptr) return;
  // Under the lock: while a waiter is attached, its io_context exists.
  asio::post(state_->executor, [state = state_] {
    const std::lock_guard inner(state->mutex);
    if (state->waiter != nullptr) state->waiter->cancel();
  });
}

}  // namespace forge::server::http
