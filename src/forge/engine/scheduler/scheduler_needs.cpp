// What a sequence needs of the cache and may take from it; see Scheduler.
#include <algorithm>

#include "forge/engine/scheduler/scheduler.h"

namespace forge::engine {

bool Scheduler::crosses_long_rope(const ScheduledSequence& sequence) const {
  return options_.long_rope_after > 0 && !sequence.use_long_rope &&
         sequence.tokens.size() > static_cast<size_t>(options_.long_rope_after);
}

bool Scheduler::is_decode(const ScheduledSequence& sequence) const {
  return sequence.n_pending() == 1 && !crosses_long_rope(sequence);
}

int32_t Scheduler::n_decodes() const {
  return static_cast<int32_t>(
      std::ranges::count_if(running_, [this](const auto* s) { return is_decode(*s); }));
}

uint64_t Scheduler::salt_of(const ScheduledSequence& sequence) const {
  // The same tokens have other keys under the long factors.
  constexpr uint64_t kLongRope = 0x9e3779b97f4a7c15;
  return sequence.use_long_rope ? sequence.cache_salt ^ kLongRope : sequence.cache_salt;
}

// The leading tokens that may come from the prefix cache.
std::span<const int32_t> Scheduler::matchable(const ScheduledSequence& sequence) const {
  const std::span<const int32_t> tokens = sequence.known_tokens();
  if (!sequence.uses_prefix_cache) return {};
  if (sequence.wants_prompt_logits && sequence.n_prompt_logits < sequence.n_prompt) {
    return tokens.first(static_cast<size_t>(sequence.n_prompt_logits));
  }
  return tokens;
}

// Blocks that a sequence of so many tokens holds at most while its last ones are computed one by
// one.
int32_t Scheduler::resident_blocks(int64_t n_tokens) const {
  if (options_.window > 0) {
    n_tokens = std::min(n_tokens, int64_t{options_.window} + options_.window_span);
  }
  return cache::KvBlocks::blocks_for(n_tokens);
}

// Blocks it still lacks for its pending tokens and the next one.
int32_t Scheduler::missing_blocks(const ScheduledSequence& sequence) const {
  return std::max(
      resident_blocks(static_cast<int64_t>(sequence.tokens.size()) + 1) - sequence.table.n_held(),
      0);
}

// Whether a waiting sequence may be admitted, where the running ones leave `margin` blocks. The
// first chunk of one that may finds room for a token at least.
bool Scheduler::has_room(const ScheduledSequence& sequence, int32_t margin) {
  if (running_.empty()) return true;
  // Its forks each copy a block when they start to differ.
  const int32_t missing = missing_blocks(sequence) + sequence.n_slots() - 1;
  if (missing <= margin) return true;
  // Looking a long prompt up is not for every step: only when there is more room than last time.
  if (refused_ == &sequence && margin <= refused_margin_) return false;
  // Only what others hold is free of charge: cached blocks are among the available ones. Of what a
  // window will let go nothing is certain.
  if (options_.window == 0 &&
      missing - blocks_.count_shareable(matchable(sequence), salt_of(sequence)) <= margin) {
    return true;
  }
  refused_ = &sequence;
  refused_margin_ = margin;
  return false;
}

// The first position that the next token may still look at.
int32_t Scheduler::first_kept(const ScheduledSequence& sequence) const {
  if (options_.window == 0) return 0;
  const int32_t first_seen = std::max(sequence.n_computed + 1 - options_.window, 0);
  return first_seen - first_seen % options_.window_span;
}

// Fills an empty table from the prefix cache.
void Scheduler::take_cached(ScheduledSequence& sequence) {
  sequence.n_computed =
      blocks_.take_prefix(sequence.table, matchable(sequence), salt_of(sequence), copies_);
  blocks_.release_before(sequence.table, first_kept(sequence));
}

}  // namespace forge::engine
