// The building of a step; see Scheduler.
#include <algorithm>

#include "forge/base/check.h"
#include "forge/engine/scheduler/scheduler.h"

namespace forge::engine {

StepPlan Scheduler::plan(TimePoint now, int32_t max_prompt_tokens) {
  FORGE_CHECK(max_prompt_tokens > 0, "max_prompt_tokens {}", max_prompt_tokens);
  FORGE_CHECK(!is_planned_ || std::ranges::all_of(rows_, [](const auto& r) { return !r.sequence; }),
              "the last step was not completed");
  rows_.clear();
  prompt_rows_.clear();
  copies_.clear();
  expired_.clear();
  expire(now);
  const int32_t n_running_decodes = n_decodes();
  Budget budget{.prompt_tokens = options_.max_step_tokens - n_running_decodes,
                .logit_rows = options_.max_logit_rows - n_running_decodes};
  if (n_running_decodes > 0)
    budget.prompt_tokens = std::min(budget.prompt_tokens, max_prompt_tokens);
  const int32_t max_prompt = budget.prompt_tokens;
  serve_running(budget);
  admit(budget);
  const auto n_decode_tokens = static_cast<int32_t>(rows_.size());
  rows_.insert(rows_.end(), prompt_rows_.begin(), prompt_rows_.end());
  is_planned_ = true;
  return {.rows = rows_,
          .copies = copies_,
          .expired = expired_,
          .n_decode_tokens = n_decode_tokens,
          .n_prompt_tokens = max_prompt - budget.prompt_tokens};
}

void Scheduler::expire(TimePoint now) {
  while (ScheduledSequence* sequence = waiting_.find_expired(now)) {
    remove(*sequence);
    expired_.push_back(sequence);
  }
}

void Scheduler::serve_running(Budget& budget) {
  // Victims are taken from the end and only for the sake of those before them, so none of them has
  // rows or copies in this step yet, and the loop only sees the end come closer.
  for (size_t i = 0; i < running_.size(); ++i) {
    ScheduledSequence& sequence = *running_[i];
    if (is_decode(sequence)) {
      if (find_room(sequence, 1, Squeeze::kPreempt) == 1) {
        rows_.push_back(
            {.sequence = &sequence, .begin = sequence.n_computed, .n_tokens = 1, .n_logits = 1});
      }
      continue;
    }
    if (crosses_long_rope(sequence)) {
      blocks_.release(sequence.table);
      sequence.n_computed = 0;
      sequence.use_long_rope = true;
    }
    schedule_chunk(sequence, budget, Squeeze::kPreempt);
  }
}

void Scheduler::admit(Budget& budget) {
  if (waiting_.size() == 0) return;
  int32_t margin = blocks_.n_available();
  for (const ScheduledSequence* sequence : running_) {
    margin -= missing_blocks(*sequence) + sequence->n_slots();
  }
  while (budget.prompt_tokens > 0 && budget.logit_rows > 0) {
    ScheduledSequence* next = waiting_.next();
    if (!next || n_slots_ + next->n_slots() > options_.max_sequences) return;
    if (!has_room(*next, margin)) return;
    waiting_.remove(*next);
    refused_ = nullptr;
    const bool is_first = next->rank == 0;
    if (is_first) {
      next->rank = last_rank_ + 1;
      last_rank_ += static_cast<uint64_t>(next->n_slots());
    }
    margin -= blocks_.n_available();
    start(*next);
    schedule_chunk(*next, budget, Squeeze::kNobody);
    if (is_first) {
      next->n_cached = next->n_computed;
      next->account->used += FairShare::kPromptTokenCost * (next->n_prompt - next->n_cached);
    }
    margin += blocks_.n_available() - missing_blocks(*next) - next->n_slots();
  }
}

// Rows for as many pending tokens as budget and blocks allow, possibly none.
void Scheduler::schedule_chunk(ScheduledSequence& sequence, Budget& budget, Squeeze squeeze) {
  if (sequence.n_pending() == 0 || budget.prompt_tokens == 0 || budget.logit_rows == 0) return;
  // Only when its turn has come: those before it may just have computed what it needs.
  if (sequence.table.blocks.empty()) take_cached(sequence);
  const auto size = static_cast<int32_t>(sequence.tokens.size());
  const int32_t begin = sequence.n_computed;
  int32_t first_logit = size - 1;
  if (sequence.wants_prompt_logits && sequence.n_prompt_logits < sequence.n_prompt) {
    first_logit = std::max(begin, sequence.n_prompt_logits);
  }
  const int32_t wanted = std::min(
      {sequence.n_pending(), budget.prompt_tokens, first_logit + budget.logit_rows - begin});
  const int32_t n_tokens = find_room(sequence, wanted, squeeze);
  if (n_tokens == 0) return;
  const int32_t n_logits = std::max(begin + n_tokens - first_logit, 0);
  prompt_rows_.push_back(
      {.sequence = &sequence, .begin = begin, .n_tokens = n_tokens, .n_logits = n_logits});
  budget.prompt_tokens -= n_tokens;
  budget.logit_rows -= n_logits;
}

// Makes room for the next tokens; how many of n_tokens there is room for. Preempts for the first
// of them only.
int32_t Scheduler::find_room(ScheduledSequence& sequence, int32_t n_tokens, Squeeze squeeze) {
  while (true) {
    if (blocks_.try_own(sequence.table, sequence.n_computed, copies_)) {
      const int64_t capacity =
          (static_cast<int64_t>(sequence.table.blocks.size()) + blocks_.n_available()) * kBlockLen;
      const auto n =
          static_cast<int32_t>(std::min<int64_t>(n_tokens, capacity - sequence.n_computed));
      if (n > 0) {
        FORGE_CHECK(blocks_.try_grow(sequence.table, sequence.n_computed + n), "{} tokens more", n);
        return n;
      }
    }
    if (squeeze == Squeeze::kNobody || running_.back() == &sequence) return 0;
    preempt(*running_.back());
  }
}

void Scheduler::preempt(ScheduledSequence& sequence) {
  stop(sequence);
  sequence.state = ScheduledSequence::State::kWaiting;
  sequence.use_long_rope = sequence.use_long_rope || crosses_long_rope(sequence);
  ++sequence.n_preemptions;
  ++n_preemptions_;
  waiting_.add(sequence);
}

}  // namespace forge::engine
