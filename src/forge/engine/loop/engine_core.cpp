#include "forge/engine/loop/engine_core.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "forge/base/result.h"
#include "forge/engine/logprobs.h"

namespace forge::engine {
namespace {

using Clock = std::chrono::steady_clock;

bool contains(const std::vector<int32_t>& ascending, int32_t id) {
  return std::binary_search(ascending.begin(), ascending.end(), id);
}

LiveChoice& choice_of(const ScheduledRows& rows) {
  return static_cast<LiveChoice&>(*rows.sequence);
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
      batch_(options.scheduler.max_step_tokens, options.scheduler.max_logit_rows) {
  choosing_.reserve(static_cast<size_t>(options.scheduler.max_sequences));
  prompt_scores_.reserve(static_cast<size_t>(options.scheduler.max_logit_rows));
}

void EngineCore::add(std::shared_ptr<LiveRequest> request, TimePoint now) {
  LiveChoice& first = *request->choices.front();
  const Request& asked = request->request;
  if (asked.queue_timeout) first.queue_deadline = now + *asked.queue_timeout;
  if (asked.timeout) {
    request->deadline = now + *asked.timeout;
    deadlines_.push(*request);
  }
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

// The device is lost: nobody can be served any more.
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
  const TimePoint begin = Clock::now();
  expire(begin);
  const StepPlan plan =
      scheduler_.plan(begin, pacer_.max_prompt_tokens(std::max(scheduler_.n_decodes(), 1)));
  fail_queued(plan);
  if (plan.is_empty()) return false;
  start(plan, begin);
  if (!plan.copies.empty()) decoder_.copy_blocks(plan.copies);
  Result<ActivationView> logits = decoder_.step(batch_.build(plan));
  if (!logits.ok()) {
    failure_ = Error{logits.error().message, ErrorKind::kInternal};
    fail_all(*failure_);
    return false;
  }
  logits_ = *logits;
  scheduler_.complete(plan);
  harvest(plan);
  read_logits();
  const TimePoint now = Clock::now();
  pacer_.observe(plan.n_decode_tokens, plan.n_prompt_tokens,
                 std::chrono::duration<double>(now - begin).count());
  for (Choosing& chosen : choosing_) append(chosen, now);
  choosing_.clear();
  prompt_scores_.clear();
  if (options_.checks_invariants) scheduler_.check_invariants();
  ++stats_.steps;
  stats_.prompt_tokens += plan.n_prompt_tokens;
  stats_.last_step_seconds = std::chrono::duration<double>(now - begin).count();
  return true;
}

void EngineCore::start(const StepPlan& plan, TimePoint now) {
  for (const ScheduledRows& rows : plan.rows) {
    LiveRequest& request = *choice_of(rows).request;
    if (request.has_started) continue;
    request.has_started = true;
    --n_unstarted_;
    stats_.cached_tokens += rows.sequence->n_cached;
    request.news.set_started(now, rows.sequence->n_cached);
  }
}

std::span<const float> EngineCore::logits_of(int64_t row) const {
  return {logits_.row(row), static_cast<size_t>(logits_.columns)};
}

void EngineCore::harvest(const StepPlan& plan) {
  int64_t first_row = 0;
  int64_t first_logits = 0;
  for (const ScheduledRows& rows : plan.rows) {
    LiveChoice& choice = choice_of(rows);
    const Request& asked = choice.request->request;
    const int64_t last_logits = first_logits + rows.n_logits - 1;
    if (asked.embedding) pool(rows, first_row);
    if (asked.prompt_logprobs) collect_prompt_scores(rows, first_logits);
    first_row += rows.n_tokens;
    first_logits += rows.n_logits;
    if (choice.n_pending() > 0) continue;
    if (choice.n_generated() == 0) {
      finish_prompt(choice, last_logits);
    } else {
      choosing_.push_back({.choice = &choice, .row = last_logits});
    }
  }
}

void EngineCore::pool(const ScheduledRows& rows, int64_t first_row) {
  LiveRequest& request = *choice_of(rows).request;
  hidden_.resize(request.pooled.size());
  for (int32_t i = 0; i < rows.n_tokens; ++i) {
    // Computed before a preemption: it is in the sum already.
    if (rows.begin + i < request.n_pooled) continue;
    ++request.n_pooled;
    const bool is_last = request.n_pooled == rows.sequence->n_prompt;
    if (request.request.embedding == Pooling::kLast && !is_last) continue;
    decoder_.final_hidden(first_row + i, hidden_);
    for (size_t d = 0; d < hidden_.size(); ++d) {
      request.pooled[d] += static_cast<double>(hidden_[d]);
    }
  }
}

// A step gives the logits of each prompt token once; the last one's are for choosing.
void EngineCore::collect_prompt_scores(const ScheduledRows& rows, int64_t first_logits) {
  LiveRequest& request = *choice_of(rows).request;
  const int32_t first = rows.begin + rows.n_tokens - rows.n_logits;
  for (int32_t i = 0; i < rows.n_logits && first + i < rows.sequence->n_prompt - 1; ++i) {
    prompt_scores_.push_back({&request, first + i, first_logits + i});
  }
}

// The prompt is computed: the choice's siblings share it from here on, and all choose their first
// token from the same logits. This happens once to a request, to its first choice. None can have
// ended: a choice alone is stopped by a token only.
void EngineCore::finish_prompt(LiveChoice& choice, int64_t row) {
  LiveRequest& request = *choice.request;
  if (request.request.embedding) {
    const double n = request.request.embedding == Pooling::kMean ? choice.n_prompt : 1;
    std::vector<float> embedding;
    for (const double sum : request.pooled) embedding.push_back(static_cast<float>(sum / n));
    request.news.set_embedding(std::move(embedding));
    return end(choice, FinishReason::kMaxTokens);
  }
  const bool is_full = choice.n_prompt >= choice.max_len;  // max_tokens is 0
  for (const auto& sibling : request.choices) {
    if (!is_full && sibling.get() != &choice) scheduler_.fork(choice, *sibling);
    choosing_.push_back({.choice = sibling.get(), .row = is_full ? kNothing : row});
  }
}

// What is asked of the step's logits, on all threads: a row of a large vocabulary takes as long as
// a small model's layer.
void EngineCore::read_logits() {
  const auto n_choosing = static_cast<int32_t>(choosing_.size());
  const auto n_scores = static_cast<int32_t>(prompt_scores_.size());
  const auto read = [&](int32_t i, int) {
    if (i < n_choosing) {
      choose(choosing_[static_cast<size_t>(i)]);
    } else {
      score(prompt_scores_[static_cast<size_t>(i - n_choosing)]);
    }
  };
  if (n_choosing + n_scores > 0) decoder_.for_each(n_choosing + n_scores, read);
}

void EngineCore::choose(Choosing& job) const {
  if (job.row == kNothing) return;
  LiveChoice& choice = *job.choice;
  const LiveRequest& request = *choice.request;
  const bool is_early = choice.n_generated() < request.request.min_tokens;
  job.result.emplace(choice.sampler.sample(
      logits_of(job.row), static_cast<int64_t>(choice.tokens.size()), choice.history,
      decoder_.logit_maxima(job.row),
      is_early ? std::span<const int32_t>(request.excluded_ids) : std::span<const int32_t>()));
  if (request.request.n_logprobs && job.result->ok()) {
    job.logprobs = logprobs_of(logits_of(job.row), **job.result, *request.request.n_logprobs);
  }
}

void EngineCore::score(const PromptScore& job) const {
  LiveRequest& request = *job.request;
  const auto position = static_cast<size_t>(job.position);
  request.prompt_logprobs[position] =
      logprobs_of(logits_of(job.row), request.choices.front()->tokens[position + 1],
                  *request.request.n_logprobs);
}

void EngineCore::append(Choosing& chosen, TimePoint now) {
  LiveChoice& choice = *chosen.choice;
  LiveRequest& request = *choice.request;
  if (!request.prompt_logprobs.empty()) {  // complete: a choice has come to its end
    request.news.set_prompt_logprobs(std::exchange(request.prompt_logprobs, {}));
  }
  if (!chosen.result) return end(choice, FinishReason::kMaxTokens);
  if (!chosen.result->ok()) {
    return end(choice, FinishReason::kFailed,
               Error{chosen.result->error().message, ErrorKind::kInternal});
  }
  const int32_t id = **chosen.result;
  choice.tokens.push_back(id);
  if (request.request.sampling.uses_penalties()) choice.history.add_generated(id);
  ++stats_.generated_tokens;
  const std::optional<FinishReason> reason = end_of(choice, id);
  const bool is_end = reason == FinishReason::kEndToken || reason == FinishReason::kStopToken;
  const TokenNews news{choice.index, id, !is_end};
  if (request.request.n_logprobs) {
    request.news.add_token(news, std::move(chosen.logprobs), now);
  } else {
    request.news.add_token(news, now);
  }
  if (reason) end(choice, *reason);
}

std::optional<FinishReason> EngineCore::end_of(const LiveChoice& choice, int32_t id) const {
  const LiveRequest& request = *choice.request;
  if (contains(request.stop_ids, id)) return FinishReason::kStopToken;
  if (!request.request.ignore_eos && contains(loaded_.end_ids, id)) {
    return FinishReason::kEndToken;
  }
  if (static_cast<int32_t>(choice.tokens.size()) < choice.max_len) return std::nullopt;
  const std::optional<int32_t> most = request.request.max_tokens;
  return most && choice.n_generated() >= *most ? FinishReason::kMaxTokens
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
