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
  find_work(plan, work);
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
  results_ = *results;
  for (const PooledRows& rows : work.pooled) pool(rows);
  read_logits(work);
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
    LiveRequest& request = *choice_of(rows).request;
    if (request.has_started) continue;
    request.has_started = true;
    --n_unstarted_;
    stats_.cached_tokens += rows.sequence->n_cached;
    request.news.set_started(now, rows.sequence->n_cached);
  }
}

std::span<const float> EngineCore::logits_of(int64_t row) const {
  return {results_.logits.row(row), static_cast<size_t>(results_.logits.columns)};
}

// Before the step is launched: whose next token it brings, and what else is read from it.
void EngineCore::find_work(const StepPlan& plan, StepWork& work) {
  work.n_decode_tokens = plan.n_decode_tokens;
  work.n_prompt_tokens = plan.n_prompt_tokens;
  work.needs_host = decoder_.n_slots() == 0;
  sampling_.begin_step();
  int64_t first_row = 0;
  int64_t first_logits = 0;
  for (const ScheduledRows& rows : plan.rows) {
    LiveChoice& choice = choice_of(rows);
    LiveRequest& request = *choice.request;
    const int64_t last_logits = first_logits + rows.n_logits - 1;
    if (request.request.embedding) {
      work.pooled.push_back({&choice, rows.begin, rows.n_tokens, first_row});
      work.needs_host = true;
    }
    if (request.request.prompt_logprobs) collect_prompt_scores(rows, first_logits, work);
    first_row += rows.n_tokens;
    first_logits += rows.n_logits;
    if (rows.begin + rows.n_tokens < static_cast<int32_t>(choice.tokens.size())) continue;
    if (request.request.embedding) continue;
    if (choice.n_generated() > 0) {
      add_choosing(work, choice, last_logits);
      continue;
    }
    // The prompt is computed: all choices choose their first token from the same logits.
    const bool is_full = choice.n_prompt >= choice.max_len;  // max_tokens is 0
    for (const auto& sibling : request.choices) {
      add_choosing(work, *sibling, is_full ? Choosing::kNothing : last_logits);
    }
  }
}

void EngineCore::add_choosing(StepWork& work, LiveChoice& choice, int64_t row) {
  Choosing job{.request = live_[choice.request->place], .choice = &choice, .row = row};
  // A sibling has no tokens yet: its own come after the prompt.
  job.position = std::max(static_cast<int32_t>(choice.tokens.size()), choice.n_prompt);
  const bool is_on_device = choice.request->is_chosen_on_device && row != Choosing::kNothing;
  if (is_on_device) {
    sampling_.add(job, live_);
  } else {
    work.needs_host = true;
  }
  work.choosing.push_back(std::move(job));
}

// A step gives the logits of each prompt token once; the last one's are for choosing.
void EngineCore::collect_prompt_scores(const ScheduledRows& rows, int64_t first_logits,
                                       StepWork& work) {
  LiveRequest& request = *choice_of(rows).request;
  const int32_t first = rows.begin + rows.n_tokens - rows.n_logits;
  for (int32_t i = 0; i < rows.n_logits && first + i < rows.sequence->n_prompt - 1; ++i) {
    work.prompt_scores.push_back({&request, first + i, first_logits + i});
    work.needs_host = true;
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

void EngineCore::pool(const PooledRows& rows) {
  LiveChoice& choice = *rows.choice;
  LiveRequest& request = *choice.request;
  const Pooling pooling = *request.request.embedding;
  hidden_.resize(request.pooled.size());
  for (int32_t i = 0; i < rows.n_tokens; ++i) {
    // Computed before a preemption: it is in the sum already.
    if (rows.begin + i < request.n_pooled) continue;
    ++request.n_pooled;
    if (pooling == Pooling::kLast && request.n_pooled < choice.n_prompt) continue;
    decoder_.final_hidden(rows.first_row + i, hidden_);
    for (size_t d = 0; d < hidden_.size(); ++d) {
      request.pooled[d] += static_cast<double>(hidden_[d]);
    }
  }
  if (request.n_pooled < choice.n_prompt) return;
  const double n = pooling == Pooling::kMean ? choice.n_prompt : 1;
  std::vector<float> embedding;
  for (const double sum : request.pooled) embedding.push_back(static_cast<float>(sum / n));
  request.news.set_embedding(std::move(embedding));
  end(choice, FinishReason::kMaxTokens);
}

// What is asked of the step's logits, on all threads: a row of a large vocabulary takes as long as
// a small model's layer.
void EngineCore::read_logits(StepWork& work) {
  const auto n_choosing = static_cast<int32_t>(work.choosing.size());
  const auto n_scores = static_cast<int32_t>(work.prompt_scores.size());
  const auto read = [&](int32_t i, int) {
    if (i < n_choosing) {
      choose(work.choosing[static_cast<size_t>(i)]);
    } else {
      score(work.prompt_scores[static_cast<size_t>(i - n_choosing)]);
    }
  };
  if (n_choosing + n_scores > 0) decoder_.for_each(n_choosing + n_scores, read);
}

void EngineCore::choose(Choosing& job) const {
  if (job.row == Choosing::kNothing || job.choice->has_ended) return;
  if (job.sample != Choosing::kOnHost) return DeviceSampling::read(results_, job);
  LiveChoice& choice = *job.choice;
  const LiveRequest& request = *choice.request;
  const bool is_early = choice.n_generated() < request.request.min_tokens;
  job.result.emplace(choice.sampler.sample(
      logits_of(job.row), job.position, choice.history, decoder_.logit_maxima(job.row),
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
  if (choice.has_ended) return;  // since the step was launched
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
