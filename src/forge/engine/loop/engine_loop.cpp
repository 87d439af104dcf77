#include "forge/engine/loop/engine_loop.h"

#include <utility>

#include "forge/base/result.h"

namespace forge::engine {
namespace {

using Clock = std::chrono::steady_clock;

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch())
      .count();
}

Error error_of(ErrorKind kind, Error error) {
  error.kind = kind;
  return error;
}

}  // namespace

EngineLoop::EngineLoop(Model model, EngineInfo info, int32_t max_queue, models::Decoder decoder,
                       const CoreOptions& options)
    : model_(std::move(model)),
      info_(std::move(info)),
      max_queue_(max_queue),
      limits_{.vocab_size = model_.info().vocab_size,
              .hidden_dim = model_.info().hidden_dim,
              .context_len = info_.context_len,
              .max_sequences = options.scheduler.max_sequences,
              .end_ids = model_.info().end_ids},
      inbox_(std::make_shared<Inbox>(info_.max_sequences)),
      core_(model_.loaded(), std::move(decoder), options),
      stats_(core_.stats()),
      thread_([this] { run(); }) {}

EngineLoop::~EngineLoop() {
  inbox_->close();
  thread_.join();
}

Result<std::unique_ptr<StreamReader>> EngineLoop::submit(Request request,
                                                         std::function<void()> on_news) {
  // Where many are refused, each costs no more than this question.
  FORGE_TRY_STATUS(refusal(inbox_->answer(max_queue_)));
  FORGE_TRY(std::shared_ptr<LiveRequest> live,
            make_live_request(std::move(request), limits_, std::move(on_news)));
  // Made before the engine sees the request: it reads the prompt.
  FORGE_TRY(auto reader, StreamReader::create(live, model_.loaded().tokenizer, inbox_));
  live->news.set_submitted(Clock::now());
  FORGE_TRY_STATUS(refusal(inbox_->try_add(live, max_queue_)));
  return reader;
}

Status EngineLoop::refusal(Inbox::Answer answer) const {
  switch (answer) {
    case Inbox::Answer::kTaken:
      return {};
    case Inbox::Answer::kFull:
      return error_of(ErrorKind::kBusy,
                      make_error("{} requests are waiting already, no more are taken: try again "
                                 "later",
                                 inbox_->n_waiting()));
    case Inbox::Answer::kShut:
      break;
  }
  {
    const std::lock_guard lock(stats_mutex_);
    if (failure_) return error_of(ErrorKind::kUnavailable, *failure_);
  }
  return error_of(ErrorKind::kUnavailable, make_error("shutting down: no new requests are taken"));
}

void EngineLoop::carry_out(const Inbox::Order& order) {
  switch (order.kind) {
    case Inbox::Order::Kind::kAdd:
      return core_.add(order.request, Clock::now());
    case Inbox::Order::Kind::kCancel:
      return core_.cancel(*order.request, FinishReason::kCancelled);
    case Inbox::Order::Kind::kStopChoice:
      return core_.stop_choice(*order.request, order.choice);
  }
}

void EngineLoop::run() {
  std::vector<Inbox::Order> orders;
  bool has_work = false;
  while (true) {
    const int32_t n_free = info_.max_sequences - core_.stats().running;
    if (!has_work) last_beat_ns_.store(0, std::memory_order_relaxed);
    const bool is_open = inbox_->take(orders, !has_work, core_.n_unstarted(), n_free);
    last_beat_ns_.store(now_ns(), std::memory_order_relaxed);
    for (const Inbox::Order& order : orders) carry_out(order);
    if (!is_open) break;
    has_work = core_.step();
    publish();
  }
  core_.cancel_all();
  publish();
}

void EngineLoop::publish() {
  const std::lock_guard lock(stats_mutex_);
  stats_ = core_.stats();
  if (!failure_ && core_.failure()) {
    failure_ = core_.failure();
    inbox_->shut();
  }
}

EngineStats EngineLoop::stats() const {
  const std::lock_guard lock(stats_mutex_);
  return stats_;
}

bool EngineLoop::is_responsive(std::chrono::milliseconds bound) const {
  {
    const std::lock_guard lock(stats_mutex_);
    if (failure_) return false;
  }
  const int64_t beat = last_beat_ns_.load(std::memory_order_relaxed);
  return beat == 0 || now_ns() - beat <= std::chrono::nanoseconds(bound).count();
}

}  // namespace forge::engine
