// A sequence as the scheduler sees it: tokens, cache blocks, and what it may do next.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "forge/cache/kv_blocks.h"

namespace forge::engine {

struct ClientAccount;

using TimePoint = std::chrono::steady_clock::time_point;

/// The engine loop makes and owns it; the scheduler keeps a pointer from add() until remove(). The
/// loop appends to `tokens` what it has sampled; everything below "scheduler's" is the scheduler's
/// to change.
///
///     tokens   |------ prompt ------|-- generated --|
///              |---- n_computed ----|-- n_pending --|
struct ScheduledSequence {
  // Set before add() or fork().
  int32_t priority = 0;     // lower first
  std::string client;       // whose share its tokens count to
  uint64_t cache_salt = 0;  // of the prefix cache
  bool uses_prefix_cache = true;
  /// The logits of every prompt token are wanted, so all of the prompt is computed; what it leaves
  /// in the prefix cache serves others.
  bool wants_prompt_logits = false;
  std::vector<int32_t> tokens;  // prompt, then what was generated; reserved for max_len
  int32_t n_prompt = 0;         // > 0
  /// The last tokens of them that are being chosen on the device and not known yet: any negative
  /// number stands for each.
  int32_t n_unknown = 0;
  int32_t max_len = 0;  // tokens that it may have at most: n_prompt <= max_len
  int32_t n_forks = 0;  // sequences that will fork from it once its prompt is computed
  std::optional<TimePoint> queue_deadline;  // for the first step

  // Scheduler's.
  enum class State { kWaiting, kRunning, kDone };
  State state = State::kDone;
  uint64_t number = 0;     // order of arrival
  uint64_t rank = 0;       // order of first admission, forks right after their parent; 0: never
  int32_t n_computed = 0;  // leading tokens whose keys and values are in its blocks
  int32_t n_cached = 0;    // of them, taken from the prefix cache when it was first admitted
  int32_t n_prompt_logits = 0;  // leading prompt tokens whose logits a completed step has given
  int32_t n_forked = 0;         // forks that have happened
  int32_t n_preemptions = 0;
  bool use_long_rope = false;
  cache::KvBlocks::Table table;
  ClientAccount* account = nullptr;
  ScheduledSequence* previous = nullptr;  // in a SequenceList
  ScheduledSequence* next = nullptr;

  [[nodiscard]] std::span<const int32_t> known_tokens() const {
    return std::span(tokens).first(tokens.size() - static_cast<size_t>(n_unknown));
  }
  /// Tokens that the next steps have to compute before another can be sampled; 1 in steady decode.
  [[nodiscard]] int32_t n_pending() const {
    return static_cast<int32_t>(tokens.size()) - n_computed;
  }
  /// Places it takes of those that run at once: its own, and those of the forks to come.
  [[nodiscard]] int32_t n_slots() const { return 1 + n_forks - n_forked; }
};

}  // namespace forge::engine
