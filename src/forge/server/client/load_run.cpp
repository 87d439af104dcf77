#include "forge/server/client/load_run.h"
#include "forge/base/open_files.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cmath>
#include <deque>
#include <iterator>
#include <memory>
#include <random>
#include <utility>

#include "forge/server/client/completion_call.h"

namespace forge::server::client {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using Clock = std::chrono::steady_clock;

class LoadRun {
 public:
  LoadRun(HttpTarget& target, const LoadPlan& plan, const LoadHooks& hooks)
      : target_(target), plan_(plan), hooks_(hooks) {}

  LoadResult run() {
    constexpr auto kTick = std::chrono::milliseconds(100);
    zero_ = Clock::now();
    if (plan_.n_clients > 0) {
      for (int32_t i = 0; i < plan_.n_clients; ++i) spawn(client());
    } else {
      spawn(arrivals());
    }
    LoadResult result;
    while (n_tasks_ > 0 && !result.is_cancelled) {
      context_.run_for(kTick);
      hooks_.on_progress(progress());
      result.is_cancelled = n_tasks_ > 0 && hooks_.is_cancelled();
    }
    result.seconds = window(result.is_cancelled);
    std::move(records_.begin(), records_.end(), std::back_inserter(result.records));
    return result;
  }

 private:
  [[nodiscard]] double now() const {
    return std::chrono::duration<double>(Clock::now() - zero_).count();
  }
  [[nodiscard]] Clock::time_point at(double seconds) const {
    return zero_ +
           std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }

  [[nodiscard]] bool may_start(double when) const {
    const auto n_started = static_cast<int64_t>(records_.size());
    return (!plan_.seconds || when < *plan_.seconds) &&
           (!plan_.n_requests || n_started < *plan_.n_requests);
  }

  /// Up to the last moment at which the load was whole.
  [[nodiscard]] double window(bool is_cancelled) const {
    const bool ran_out =
        plan_.n_requests && static_cast<int64_t>(records_.size()) >= *plan_.n_requests;
    if (!is_cancelled && !ran_out) return *plan_.seconds;
    double last = is_cancelled ? now() : 0.0;
    for (const CallRecord& record : records_) last = std::max(last, record.end.value_or(0.0));
    return plan_.seconds ? std::min(last, *plan_.seconds) : last;
  }

  [[nodiscard]] LoadProgress progress() const {
    return {.seconds = now(),
            .n_done = n_done_,
            .n_failed = n_failed_,
            .n_running = static_cast<int64_t>(records_.size()) - n_done_ - n_failed_};
  }

  void spawn(awaitable<void> task) {
    ++n_tasks_;
    asio::co_spawn(context_, std::move(task), [this](const std::exception_ptr& failure) {
      --n_tasks_;
      if (failure) std::rethrow_exception(failure);
    });
  }

  awaitable<void> sleep_until(Clock::time_point when) {
    asio::steady_timer timer(context_, when);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }

  awaitable<void> client() {
    constexpr double kPauseAfterFailure = 0.1;  // s; a server that refuses is not to be flooded
    while (may_start(now())) {
      const bool is_done = co_await call(now());
      if (!is_done) co_await sleep_until(at(now() + kPauseAfterFailure));
    }
  }

  awaitable<void> arrivals() {
    constexpr double kRandomRange = 0x1p53;
    std::mt19937_64 random(plan_.seed);
    double when = 0.0;
    while (true) {
      // Exponential gaps; 1 - u is never 0.
      const double u = static_cast<double>(random() >> 11) / kRandomRange;
      when -= std::log1p(-u) / plan_.requests_per_s;
      if (!may_start(when)) co_return;
      co_await sleep_until(at(when));
      spawn(arrival(when));
    }
  }
  awaitable<void> arrival(double when) {
    [[maybe_unused]] const bool is_done = co_await call(when);
  }

  /// One request that was due at start. Its record is there before it first waits.
  awaitable<bool> call(double start) {
    const auto i = static_cast<int64_t>(records_.size());
    CallRecord& record = records_.emplace_back();
    record.start = start;
    const HttpRequest request{
        .path = hooks_.path, .body = hooks_.body(i), .deadline = at(start + plan_.timeout_s)};
    std::unique_ptr<HttpConnection> connection;
    if (idle_.empty()) {
      connection = std::make_unique<HttpConnection>(context_.get_executor(), target_);
    } else {
      connection = std::move(idle_.back());
      idle_.pop_back();
    }
    co_await measure_call(*connection, request, zero_, record);
    idle_.push_back(std::move(connection));
    if (!record.is_done() && hooks_.is_cancelled()) {
      // Ctrl-C reaches a server in the same terminal too; that it fails then says nothing of it.
      record.error.reset();
      record.end.reset();
      co_return false;
    }
    ++(record.is_done() ? n_done_ : n_failed_);
    co_return record.is_done();
  }

  HttpTarget& target_;
  const LoadPlan& plan_;
  const LoadHooks& hooks_;
  Clock::time_point zero_;
  std::deque<CallRecord> records_;  // whose addresses stay
  int64_t n_tasks_ = 0;
  int64_t n_done_ = 0;
  int64_t n_failed_ = 0;
  // NOTE: in this order: coroutines that are still suspended at the end go with the context, and
  // what they hold refers to the members above.
  asio::io_context context_{1};
  std::vector<std::unique_ptr<HttpConnection>> idle_;
};

}  // namespace

Result<LoadResult> run_load(HttpTarget& target, const LoadPlan& plan, const LoadHooks& hooks) {
  FORGE_CHECK(plan.seconds || plan.n_requests, "a load without an end");
  FORGE_CHECK(plan.n_clients > 0 || plan.requests_per_s > 0.0, "neither clients nor a rate");
  FORGE_TRY_STATUS(allow_open_files(plan.n_clients));
  LoadRun run(target, plan, hooks);
  return run.run();
}

}  // namespace forge::server::client
