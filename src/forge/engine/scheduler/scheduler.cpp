#include "forge/engine/scheduler/scheduler.h"

#include <algorithm>
#include <utility>

#include "forge/base/check.h"

namespace forge::engine {
namespace {

using State = ScheduledSequence::State;

bool is_before(const ScheduledSequence* a, const ScheduledSequence* b) {
  return std::pair(a->priority, a->rank) < std::pair(b->priority, b->rank);
}

}  // namespace

Scheduler::Scheduler(const SchedulerOptions& options, cache::KvBlocks& blocks)
    : options_(options), blocks_(blocks) {
  FORGE_CHECK(options.max_sequences > 0 && options.max_step_tokens >= options.max_sequences &&
                  options.max_logit_rows >= options.max_sequences,
              "max_sequences {} max_step_tokens {} max_logit_rows {}", options.max_sequences,
              options.max_step_tokens, options.max_logit_rows);
  FORGE_CHECK(
      options.window == 0 || (options.window_span > 0 && options.window_span % kBlockLen == 0),
      "window {} window_span {}", options.window, options.window_span);
  const auto max_sequences = static_cast<size_t>(options.max_sequences);
  running_.reserve(max_sequences);
  rows_.reserve(max_sequences);
  prompt_rows_.reserve(max_sequences);
  copies_.reserve(max_sequences);  // one each at most: of the block it writes next
}

bool Scheduler::fits(int32_t max_len, int32_t n_forks) const {
  return resident_blocks(max_len) <= blocks_.n_blocks() && n_forks < options_.max_sequences;
}

void Scheduler::add(ScheduledSequence& sequence) {
  FORGE_CHECK(sequence.state == State::kDone, "the sequence is in already");
  FORGE_CHECK(sequence.n_prompt > 0 && sequence.n_prompt <= sequence.max_len &&
                  static_cast<size_t>(sequence.n_prompt) == sequence.tokens.size(),
              "n_prompt {} max_len {} tokens {}", sequence.n_prompt, sequence.max_len,
              sequence.tokens.size());
  FORGE_CHECK(fits(sequence.max_len, sequence.n_forks), "max_len {} n_forks {} of {} blocks",
              sequence.max_len, sequence.n_forks, blocks_.n_blocks());
  sequence.number = ++last_number_;
  sequence.rank = 0;
  sequence.n_computed = 0;
  sequence.n_cached = 0;
  sequence.n_prompt_logits = 0;
  sequence.n_forked = 0;
  sequence.n_preemptions = 0;
  sequence.use_long_rope = false;
  sequence.use_long_rope = crosses_long_rope(sequence);
  sequence.table.blocks.reserve(static_cast<size_t>(cache::KvBlocks::blocks_for(sequence.max_len)));
  sequence.account = &shares_.join(sequence.client);
  sequence.state = State::kWaiting;
  waiting_.add(sequence);
  // All of them may expire at once.
  if (expired_.capacity() < static_cast<size_t>(n_waiting())) {
    expired_.reserve(2 * static_cast<size_t>(n_waiting()));
  }
}

void Scheduler::fork(ScheduledSequence& parent, ScheduledSequence& child) {
  FORGE_CHECK(parent.state == State::kRunning && parent.n_pending() == 0 &&
                  parent.n_computed == parent.n_prompt && parent.n_forked < parent.n_forks,
              "pending {} computed {} prompt {} forked {} of {}", parent.n_pending(),
              parent.n_computed, parent.n_prompt, parent.n_forked, parent.n_forks);
  FORGE_CHECK(child.state == State::kDone && child.n_forks == 0 &&
                  child.n_prompt == parent.n_prompt && fits(child.max_len),
              "n_forks {} n_prompt {} of parent {} max_len {}", child.n_forks, child.n_prompt,
              parent.n_prompt, child.max_len);
  child.tokens.assign(parent.tokens.begin(), parent.tokens.end());
  child.number = parent.number;
  child.rank = parent.rank + 1 + static_cast<uint64_t>(parent.n_forked);
  child.n_computed = parent.n_computed;
  child.n_cached = 0;
  child.n_prompt_logits = parent.n_prompt_logits;
  child.n_forked = 0;
  child.n_preemptions = 0;
  child.use_long_rope = parent.use_long_rope;
  child.table.blocks.reserve(static_cast<size_t>(cache::KvBlocks::blocks_for(child.max_len)));
  blocks_.share(parent.table, child.table);
  child.account = &shares_.join(child.client);
  child.account->used += FairShare::kGeneratedTokenCost;
  n_slots_ -= parent.n_slots();
  ++parent.n_forked;
  n_slots_ += parent.n_slots();
  start(child);
}

void Scheduler::remove(ScheduledSequence& sequence) {
  if (sequence.state == State::kDone) return;
  if (is_planned_) {
    for (ScheduledRows& rows : rows_) {
      if (rows.sequence == &sequence) rows.sequence = nullptr;
    }
  }
  if (sequence.state == State::kWaiting) {
    waiting_.remove(sequence);
  } else {
    stop(sequence);
  }
  if (refused_ == &sequence) refused_ = nullptr;
  shares_.leave(*sequence.account);
  sequence.account = nullptr;
  sequence.state = State::kDone;
}

// Puts it among the running ones.
void Scheduler::start(ScheduledSequence& sequence) {
  sequence.state = State::kRunning;
  running_.insert(std::ranges::upper_bound(running_, &sequence, is_before), &sequence);
  n_slots_ += sequence.n_slots();
  ++sequence.account->n_running;
}

// Takes it out of the running ones; its blocks go back.
void Scheduler::stop(ScheduledSequence& sequence) {
  running_.erase(std::ranges::lower_bound(running_, &sequence, is_before));
  n_slots_ -= sequence.n_slots();
  --sequence.account->n_running;
  blocks_.release(sequence.table);
  sequence.n_computed = 0;
}

void Scheduler::complete(const StepPlan& plan) {
  FORGE_CHECK(is_planned_ && plan.rows.data() == rows_.data(), "not the step that was planned");
  is_planned_ = false;
  for (const ScheduledRows& rows : rows_) {
    if (!rows.sequence) continue;
    ScheduledSequence& sequence = *rows.sequence;
    sequence.n_computed = rows.begin + rows.n_tokens;
    if (sequence.wants_prompt_logits) {
      sequence.n_prompt_logits =
          std::max(sequence.n_prompt_logits, std::min(sequence.n_computed, sequence.n_prompt));
    }
    if (sequence.uses_prefix_cache) {
      const std::span<const int32_t> known = sequence.known_tokens();
      blocks_.register_prefix(sequence.table, known,
                              std::min(sequence.n_computed, static_cast<int32_t>(known.size())),
                              salt_of(sequence));
    }
    blocks_.release_before(sequence.table, first_kept(sequence));
    if (sequence.n_pending() == 0) sequence.account->used += FairShare::kGeneratedTokenCost;
  }
}

void Scheduler::check_invariants() const {
  std::vector<int32_t> owners(static_cast<size_t>(blocks_.n_blocks()), 0);
  int32_t n_slots = 0;
  for (const ScheduledSequence* sequence : running_) {
    FORGE_CHECK(sequence->state == State::kRunning, "sequence {} does not run", sequence->number);
    n_slots += sequence->n_slots();
    const auto& table = sequence->table;
    FORGE_CHECK(sequence->n_computed <= static_cast<int32_t>(table.blocks.size()) * kBlockLen,
                "sequence {}: {} tokens in {} blocks", sequence->number, sequence->n_computed,
                table.blocks.size());
    for (size_t i = static_cast<size_t>(table.n_released); i < table.blocks.size(); ++i) {
      ++owners[static_cast<size_t>(table.blocks[i])];
    }
  }
  FORGE_CHECK(n_slots == n_slots_ && n_slots <= options_.max_sequences, "slots {} counted {} of {}",
              n_slots_, n_slots, options_.max_sequences);
  FORGE_CHECK(std::ranges::is_sorted(running_, is_before), "running sequences out of order");
  for (int32_t block = 0; block < blocks_.n_blocks(); ++block) {
    FORGE_CHECK(owners[static_cast<size_t>(block)] == blocks_.owners(block),
                "block {}: {} owners, {} in tables", block, blocks_.owners(block),
                owners[static_cast<size_t>(block)]);
  }
  blocks_.check_invariants();
}

}  // namespace forge::engine
