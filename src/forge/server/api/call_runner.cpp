#include "forge/server/api/call_runner.h"

#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "forge/server/http/signal.h"
#include "forge/server/openai/usage.h"

namespace forge::server {
namespace {

AbortReason reason_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kBusy:
      return AbortReason::kQueueFull;
    case ErrorKind::kUnavailable:
      return AbortReason::kShuttingDown;
    default:
      return AbortReason::kFailed;
  }
}

/// One call under way.
class RunningCall {
 public:
  RunningCall(openai::Call call, ServerMetrics& metrics, http::Signal signal)
      : call_(std::move(call)), metrics_(metrics), signal_(std::move(signal)) {}

  /// Nothing where all requests are in the engine; else none is.
  std::optional<openai::ApiError> submit(Engine& engine) {
    for (Request& request : call_.requests) {
      Result<Stream> stream =
          engine.submit(std::move(request), [signal = signal_]() mutable { signal.notify(); });
      if (!stream.ok()) {
        streams_.clear();
        if (stream.error().kind != ErrorKind::kInvalid &&
            stream.error().kind != ErrorKind::kTooLong) {
          metrics_.on_aborted(reason_of(stream.error()));
        }
        return openai::to_api_error(stream.error());
      }
      streams_.push_back(std::move(*stream));
    }
    last_text_.resize(streams_.size());
    return std::nullopt;
  }

  /// Takes what has come. Text to write now, where the answer is streamed.
  std::string take_news() {
    std::string out;
    for (size_t i = 0; i < streams_.size(); ++i) {
      const bool was_done = streams_[i].is_done();
      for (const StreamEvent& event : streams_[i].poll()) {
        time(i, event);
        out += call_.answer->add(i, event);
        if (event.finish_reason == FinishReason::kTimeout) {
          metrics_.on_aborted(AbortReason::kTimeout);
        } else if (event.finish_reason == FinishReason::kFailed) {
          metrics_.on_aborted(AbortReason::kFailed);
        }
      }
      if (!was_done && streams_[i].is_done() && !call_.answer->failure()) {
        metrics_.on_finished(streams_[i].times(), streams_[i].usage());
      }
    }
    return out;
  }

  [[nodiscard]] bool is_done() const {
    if (call_.answer->failure()) return true;
    for (const Stream& stream : streams_) {
      if (!stream.is_done()) return false;
    }
    return true;
  }

  [[nodiscard]] std::vector<Usage> usages() const {
    std::vector<Usage> usages;
    for (const Stream& stream : streams_) usages.push_back(stream.usage());
    return usages;
  }

  openai::Answer& answer() { return *call_.answer; }

 private:
  using Clock = std::chrono::steady_clock;

  /// The time between two deliveries of the same choice, as the client can see it.
  void time(size_t stream, const StreamEvent& event) {
    if (event.ids.empty()) return;
    auto& choices = last_text_[stream];
    const auto choice = static_cast<size_t>(event.choice);
    if (choices.size() <= choice) choices.resize(choice + 1);
    const Clock::time_point now = Clock::now();
    if (choices[choice] != Clock::time_point()) {
      metrics_.on_inter_token(std::chrono::duration<double>(now - choices[choice]).count());
    }
    choices[choice] = now;
  }

  openai::Call call_;
  ServerMetrics& metrics_;
  http::Signal signal_;
  std::vector<Stream> streams_;
  std::vector<std::vector<Clock::time_point>> last_text_;  // by request and choice
};

void note_usage(http::Response& response, const std::vector<Usage>& usages) {
  const Usage sum = openai::total(usages);
  response.note("prompt_tokens", int64_t{sum.prompt_tokens});
  response.note("cached_tokens", int64_t{sum.cached_tokens});
  response.note("generated_tokens", int64_t{sum.generated_tokens});
}

}  // namespace

asio::awaitable<void> send_error(http::Response& response, openai::ApiError error) {
  http::Reply reply{.status = error.status, .body = openai::to_json(error), .headers = {}};
  if (error.retry_after_s) {
    reply.headers.emplace_back("Retry-After", std::to_string(*error.retry_after_s));
  }
  co_await response.send(std::move(reply));
}

asio::awaitable<void> run_call(Engine& engine, openai::Call call, http::Response& response,
                               ServerMetrics& metrics) {
  http::Signal signal(co_await asio::this_coro::executor);
  RunningCall running(std::move(call), metrics, signal);
  if (auto error = running.submit(engine)) {
    co_await send_error(response, std::move(*error));
    co_return;
  }
  response.on_disconnect([signal]() mutable { signal.notify(); });
  bool has_begun = false;
  const bool is_stream = running.answer().is_stream();
  while (true) {
    std::string out = running.take_news();
    const bool is_done = running.is_done();
    const auto& failure = running.answer().failure();
    if (failure && !has_begun) {
      note_usage(response, running.usages());
      co_await send_error(response, *failure);
      co_return;
    }
    if (is_done && !failure) out += running.answer().finish(running.usages());
    if (response.is_disconnected()) {
      metrics.on_aborted(AbortReason::kClientGone);
      co_return;
    }
    if (is_stream && !out.empty()) {
      if (!has_begun) {
        has_begun = true;
        http::Headers headers{{"Cache-Control", "no-cache"}, {"X-Accel-Buffering", "no"}};
        std::string type = "text/event-stream; charset=utf-8";
        const bool is_there =
            co_await response.begin_stream(200, std::move(type), std::move(headers));
        if (!is_there) continue;
      }
      const bool is_there = co_await response.write(out);
      if (!is_there) continue;
    }
    if (is_done) {
      note_usage(response, running.usages());
      if (is_stream) {
        co_await response.end_stream();
      } else {
        http::Reply reply{.body = std::move(out), .headers = {}};
        co_await response.send(std::move(reply));
      }
      co_return;
    }
    co_await signal.wait();
  }
}

}  // namespace forge::server
