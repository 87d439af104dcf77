#include "forge/engine/loop/engine_core.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "forge/base/result.h"
#include "forge/engine/loop/find_work.h"
#include "forge/engine/loop/read_step.h"

namespace forge::engine {
namespace {

using Clock = std::chrono::steady_clock;

bool contains(const std::vector<int32_t>& ascending, int32_t id) {
  return std::binary_search(ascending.begin(), ascending.end(), id);
}

Error queue_timeout_error() {
  return {"the request waited longer than its queue timeout for a free place",
          ErrorKind::kUnavailable};
}

}  // namespace

EngineCore::EngineCore(const LoadedModel& loaded, models::Decoder decoder,
                       const CoreOptions& options)
    : loaded_(loaded),
      decoder_(std::move(decoder)),
      options_(options),
      blocks_(options.blocks),
      scheduler_(options.scheduler, blocks_),
      pacer_(options.prompt_share, options.scheduler.max_step_tokens),
      batch_(options.scheduler.max_step_tokens, options.scheduler.max_logit_rows),
      sampling_(decoder_, loaded.spec().vocab_size, options.scheduler.max_sequences) {
  for (StepWork& work : works_) {
    work.choosing.reserve(static_cast<size_t>(options.scheduler.max_sequences));
    work.prompt_scores.reserve(static_cast<size_t>(options.scheduler.max_logit_rows));
    work.pooled.reserve(static_cast<size_t>(options.scheduler.max_sequences));
  }
}

void EngineCore::add(std::shared_ptr<LiveRequest> request, TimePoint now) {
  LiveChoice& first = *request->choices.front();
  const Request& asked = request->request;
  if (asked.queue_timeout) first.queue_deadline = now + *asked.queue_timeout;
  if (asked.timeout) {
    request->deadline = now + *asked.timeout;
    deadlines_.push(*request);
  }
  request->is_chosen_on_device = sampling_.can_choose(*request);
  scheduler_.add(first);
  ++n_unstarted_;
  request->is_live = true;
  request->place = live_.size();
  live_.push_back(std::move(request));
}

void EngineCore::cancel(LiveRequest& request, FinishReason reason) {
  if (request.is_live) remove(request, reason);
}

void EngineCore::remove(LiveRequest& request, FinishReason reason) {
  const std::shared_ptr<LiveRequest> alive = live_[request.place];
  for (const auto& choice : request.choices) {
    if (!choice->has_ended) end(*choice, reason);
  }
}

void EngineCore::stop_choice(LiveRequest& request, int32_t choice) {
  if (!request.is_live) return;
  const std::shared_ptr<LiveRequest> alive = live_[request.place];
  LiveChoice& stopped = *request.choices[static_cast<size_t>(choice)];
  if (!stopped.has_ended) end(stopped, FinishReason::kStopString);
}

void EngineCore::cancel_all() {
  while (!live_.empty()) remove(*live_.back(), FinishReason::kCancelled);
}

// The device is lost.
bool EngineCore::fail(const Error& error) {
  failure_ = Error{error.message, ErrorKind::kInternal};
  under_way_ = nullptr;
  fail_all(*failure_);
  for (StepWork& work : works_) work.clear();
  return false;
}

void EngineCore::fail_all(const Error& error) {
  while (!live_.empty()) {
    const std::shared_ptr<LiveRequest> alive = live_.back();
    for (const auto& choice : alive->choices) {
      if (!choice->has_ended) end(*choice, FinishReason::kFailed, error);
    }
  }
}

void EngineCore::end(LiveChoice& choice, FinishReason reason, std::optional<Error> error) {
  LiveRequest& request = *choice.request;
  choice.has_ended = true;
  scheduler_.remove(choice);
  sampling_.release(choice);
  request.news.add_end({choice.index, reason, std::move(error)}, choice.n_preemptions);
  if (--request.n_unfinished > 0) return;
  request.is_live = false;
  if (request.request.timeout) deadlines_.remove(request);
  if (!request.has_started) --n_unstarted_;
  switch (reason) {
    case FinishReason::kCancelled:
      ++stats_.requests_cancelled;
      break;
    case FinishReason::kTimeout:
      ++stats_.requests_timed_out;
      break;
    case FinishReason::kFailed:
      ++stats_.requests_failed;
      break;
    default:
      ++stats_.requests_finished;
  }
  // May be the last owner: the request is gone after this.
  const size_t place = request.place;
  live_.back()->place = place;
  std::swap(live_[place], live_.back());
  live_.pop_back();
}

void EngineCore::expire(TimePoint now) {
  while (!deadlines_.is_empty() && deadlines_.top().deadline <= now) {
    remove(deadlines_.top(), FinishReason::kTimeout);
  }
}

void EngineCore::fail_queued(const StepPlan& plan) {
  for (ScheduledSequence* sequence : plan.expired) {
    LiveRequest& request = *static_cast<LiveChoice*>(sequence)->request;
    const std::shared_ptr<LiveRequest> alive = live_[request.place];
    for (const auto& choice : request.choices) {
      if (!choice->has_ended) end(*choice, FinishReason::kTimeout, queue_timeout_error());
    }
  }
}

bool EngineCore::step() {
  if (failure_) {
    fail_all(*failure_);
    return false;
  }
  StepWork* const last = std::exchange(under_way_, nullptr);
  const TimePoint begin = Clock::now();
  expire(begin);
  const StepPlan plan =
      scheduler_.plan(begin, pacer_.max_prompt_tokens(std::max(scheduler_.n_decodes(), 1)));
  fail_queued(plan);
  if (plan.is_empty()) return last != nullptr && finish(*last);
  StepWork& next = last == &works_[0] ? works_[1] : works_[0];
  next.clear();
  next.begin = begin;
  start(plan, begin);
  if (!launch(plan, next)) return false;
  if (last != nullptr && !finish(*last)) return false;
  if (next.needs_host) return finish(next);
  under_way_ = &next;
  return true;
}

bool EngineCore::launch(const StepPlan& plan, StepWork& work) {
  if (!plan.copies.empty()) decoder_.copy_blocks(plan.copies);
  find_work(plan, decoder_.n_slots() > 0, live_, sampling_, work);
  models::SampleBatch samples = sampling_.batch();
  samples.wants_logits = work.needs_host;
  if (const Status status = decoder_.launch(batch_.build(plan), samples); !status.ok()) {
    return fail(status.error());
  }
  scheduler_.complete(plan);
  go_on_without_knowing(work);
  return true;
}

bool EngineCore::finish(StepWork& work) {
  Result<models::StepResults> results = decoder_.collect();
  if (!results.ok()) return fail(results.error());
  for (const PooledRows& rows : work.pooled) {
    const Result<bool> is_complete = pooler_.add(decoder_, rows);
    if (!is_complete.ok()) {
      fail(*rows.choice, is_complete.error());
    } else if (*is_complete) {
      end(*rows.choice, FinishReason::kMaxTokens);
    }
  }
  read_step(decoder_, *results, work);
  for (const PromptScore& score : work.prompt_scores) score.request->has_bad_score |= score.is_bad;
  const TimePoint now = Clock::now();
  // The device starts on a step when it is done with the one before.
  const double seconds =
      std::chrono::duration<double>(now - std::max(work.begin, last_end_)).count();
  last_end_ = now;
  pacer_.observe(work.n_decode_tokens, work.n_prompt_tokens, seconds);
  for (Choosing& chosen : work.choosing) append(chosen, now);
  work.clear();
  if (options_.checks_invariants) scheduler_.check_invariants();
  ++stats_.steps;
  stats_.prompt_tokens += work.n_prompt_tokens;
  stats_.last_step_seconds = seconds;
  return true;
}

void EngineCore::start(const StepPlan& plan, TimePoint now) {
  for (const ScheduledRows& rows : plan.rows) {
    LiveRequest& request = *static_cast<LiveChoice*>(rows.sequence)->request;
    if (request.has_started) continue;
    request.has_started = true;
    --n_unstarted_;
    stats_.cached_tokens += rows.sequence->n_cached;
    request.news.set_started(now, rows.sequence->n_cached);
  }
}

// The step is on its way. Siblings share the prompt from here on; this happens once to a request,
// to its first choice, and none can have ended: a choice alone is stopped by a token only. Where
// the host waits for nothing, sequences go on with a number that stands for the token.
void EngineCore::go_on_without_knowing(StepWork& work) {
  for (const Choosing& job : work.choosing) {
    LiveChoice& choice = *job.choice;
    LiveChoice& first = *job.request->choices.front();
    const bool is_fork = &choice != &first && choice.tokens.empty();
    if (is_fork && job.row != Choosing::kNothing) scheduler_.fork(first, choice);
  }
  if (work.needs_host) return;
  for (const Choosing& job : work.choosing) {
    LiveChoice& choice = *job.choice;
    if (job.position + 1 >= choice.max_len) continue;  // the last one: nothing comes after it
    choice.tokens.push_back(-1 - choice.slot);
    ++choice.n_unknown;
  }
}

void EngineCore::append(Choosing& chosen, TimePoint now) {
  LiveChoice& choice = *chosen.choice;
  if (choice.has_ended) return;  // since the step was launched
  LiveRequest& request = *choice.request;
  if (request.has_bad_score) {
    return fail(choice, {"a log-probability of the prompt is not a number: the model's weights or "
                         "its input are broken",
                         ErrorKind::kInternal});
  }
  if (!request.prompt_logprobs.empty()) {  // complete: a choice has come to its end
    request.news.set_prompt_logprobs(std::exchange(request.prompt_logprobs, {}));
  }
  if (!chosen.result) return end(choice, FinishReason::kMaxTokens);
  if (!chosen.result->ok()) return fail(choice, chosen.result->error());
  const int32_t id = **chosen.result;
  if (chosen.position < static_cast<int32_t>(choice.tokens.size())) {
    choice.tokens[static_cast<size_t>(chosen.position)] = id;
    --choice.n_unknown;
  } else {
    choice.tokens.push_back(id);
  }
  if (request.request.sampling.uses_penalties()) choice.history.add_generated(id);
  ++stats_.generated_tokens;
  const std::optional<FinishReason> reason = end_of(choice, chosen.position + 1, id);
  const bool is_end = reason == FinishReason::kEndToken || reason == FinishReason::kStopToken;
  const TokenNews news{choice.index, id, !is_end};
  if (request.request.n_logprobs) {
    request.news.add_token(news, std::move(chosen.logprobs), now);
  } else {
    request.news.add_token(news, now);
  }
  if (reason) end(choice, *reason);
}

// Of a request alone. kInternal: something is not a number (panel_logits.h).
void EngineCore::fail(LiveChoice& choice, Error error) {
  if (error.kind == ErrorKind::kInternal) error.message += options_.number_hint;
  error.kind = ErrorKind::kInternal;
  end(choice, FinishReason::kFailed, std::move(error));
}

std::optional<FinishReason> EngineCore::end_of(const LiveChoice& choice, int32_t length,
                                               int32_t id) const {
  const LiveRequest& request = *choice.request;
  if (contains(request.stop_ids, id)) return FinishReason::kStopToken;
  if (!request.request.ignore_eos && contains(loaded_.end_ids, id)) {
    return FinishReason::kEndToken;
  }
  if (length < choice.max_len) return std::nullopt;
  const std::optional<int32_t> most = request.request.max_tokens;
  return most && length - choice.n_prompt >= *most ? FinishReason::kMaxTokens
                                                   : FinishReason::kContextFull;
}

EngineStats EngineCore::stats() const {
  EngineStats stats = stats_;
  stats.preemptions = scheduler_.n_preemptions();
  stats.running = scheduler_.n_running();
  stats.waiting = scheduler_.n_waiting();
  stats.kv_blocks = blocks_.n_blocks();
  stats.kv_blocks_used = blocks_.n_used();
  stats.kv_blocks_cached = blocks_.n_cached();
  return stats;
}

}  // namespace forge::engine
