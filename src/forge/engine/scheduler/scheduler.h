// Which sequences take part in a step, and with how many tokens. Pure logic: no clock, no model, no
// threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "forge/cache/kv_blocks.h"
#include "forge/engine/scheduler/fair_share.h"
#include "forge/engine/scheduler/scheduled_sequence.h"
#include "forge/engine/scheduler/waiting_queue.h"

namespace forge::engine {

struct SchedulerOptions {
  int32_t max_sequences = 1;    // running at once
  int32_t max_step_tokens = 1;  // rows of a step; at least max_sequences
  int32_t max_logit_rows = 1;   // rows of a step whose logits are wanted; at least max_sequences
  /// Every layer attends to at most this many positions, so older blocks are given back; 0: some
  /// layer sees everything.
  int32_t window = 0;
  /// Positions are let go in whole spans of this length (the attention kernels look at whole ones).
  int32_t window_span = 512;
  /// longrope: a sequence longer than this uses the long factors and is computed anew when it
  /// crosses; 0: never.
  int32_t long_rope_after = 0;
};

/// One sequence's part in a step: tokens [begin, begin + n_tokens) of it.
struct ScheduledRows {
  ScheduledSequence* sequence = nullptr;  // null where it was removed before complete()
  int32_t begin = 0;
  int32_t n_tokens = 0;
  /// Logits are wanted of the last `n_logits` of these tokens: 1 where the step ends what is
  /// pending; where prompt logits are wanted, of all prompt tokens that no completed step has given
  /// yet, each once; else 0.
  int32_t n_logits = 0;
};

/// A step. Its spans are valid until the next plan().
struct StepPlan {
  std::span<const ScheduledRows> rows;          // decodes first
  std::span<const cache::BlockCopy> copies;     // to be done before the step, in this order
  std::span<ScheduledSequence* const> expired;  // queue deadline passed; removed already
  int32_t n_decode_tokens = 0;
  int32_t n_prompt_tokens = 0;

  [[nodiscard]] bool is_empty() const { return rows.empty(); }
};

/// Policy:
///  - Running sequences have an order: priority, then first admission. They are served in it:
///    those with one pending token (decodes) all take part; what their rows leave of the budgets
///    goes to prompts in chunks.
///  - What is left of that admits waiting sequences in the order of WaitingQueue, while there are
///    slots, and cache blocks for all that is pending beside what the running ones still need and
///    one block more for each. Where nothing runs, the next one is always admitted. Nobody
///    overtakes the next one because it is large: a stream of small requests would starve it for
///    ever, while those that run make room within their lengths.
///  - Prompt tokens count 1 to their client's share, at admission and less what was cached;
///    generated ones 2. Preemption costs a client nothing.
///  - A running sequence that finds no block takes those of the last in the order, which waits
///    again (full blocks stay in the prefix cache while nobody needs them). The last one itself
///    sits out the step with what it has. The first never gives way, so there is always progress.
///
/// Invariants after every call: blocks used = distinct blocks in the tables of running sequences;
/// waiting sequences hold none; a block's owners are the tables that name it. plan() takes time
/// linear in the running sequences and logarithmic in the waiting ones for each admission. Only
/// add(), fork(), remove(), an expiry and a preemption may allocate. One thread.
class Scheduler {
 public:
  /// The blocks must outlive the scheduler, which is their only user.
  Scheduler(const SchedulerOptions& options, cache::KvBlocks& blocks);
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// Whether a sequence of max_len tokens, with its forks, can ever run.
  [[nodiscard]] bool fits(int32_t max_len, int32_t n_forks = 0) const;

  /// Takes a sequence that is kDone and fits. It waits.
  void add(ScheduledSequence& sequence);
  /// Starts `child` beside its running parent, whose prompt is computed and which has sampled
  /// nothing yet: gets the same tokens, shares the blocks. n_forks times at most; slots were set
  /// aside at admission and stay so until the parent is removed.
  void fork(ScheduledSequence& parent, ScheduledSequence& child);
  /// Lets go of a sequence in any state at any moment, its blocks included. Nothing happens if it
  /// is kDone.
  void remove(ScheduledSequence& sequence);

  /// Plans a step. max_prompt_tokens: most prompt tokens beside decodes (no effect on a step
  /// without any decode), > 0. Never empty while there are sequences that have something pending.
  /// The planned step must be computed and completed, or all its sequences removed.
  [[nodiscard]] StepPlan plan(TimePoint now, int32_t max_prompt_tokens);
  /// The planned step has been computed, or is on its way ahead of everything planned later: full
  /// blocks enter the prefix cache, blocks outside the window go back. Before the sampled tokens,
  /// or what stands for them, are appended.
  void complete(const StepPlan& plan);

  [[nodiscard]] int32_t n_running() const { return static_cast<int32_t>(running_.size()); }
  /// Running sequences with one token to compute: the decodes of the next step.
  [[nodiscard]] int32_t n_decodes() const;
  [[nodiscard]] int32_t n_waiting() const { return waiting_.size(); }
  [[nodiscard]] int64_t n_preemptions() const { return n_preemptions_; }

  /// FORGE_CHECKs the invariants; for tests and debug builds, after each step.
  void check_invariants() const;

 private:
  /// What the step under construction has room for.
  struct Budget {
    int32_t prompt_tokens = 0;
    int32_t logit_rows = 0;  // beside those of decodes
  };
  enum class Squeeze { kPreempt, kNobody };

  // Lifecycle: scheduler.cpp.
  void start(ScheduledSequence& sequence);
  void stop(ScheduledSequence& sequence);

  // Building a step: scheduler_plan.cpp.
  void expire(TimePoint now);
  void serve_running(Budget& budget);
  void admit(Budget& budget);
  void schedule_chunk(ScheduledSequence& sequence, Budget& budget, Squeeze squeeze);
  [[nodiscard]] int32_t find_room(ScheduledSequence& sequence, int32_t n_tokens, Squeeze squeeze);
  void preempt(ScheduledSequence& sequence);

  // What sequences need: scheduler_needs.cpp.
  [[nodiscard]] bool crosses_long_rope(const ScheduledSequence& sequence) const;
  [[nodiscard]] bool is_decode(const ScheduledSequence& sequence) const;
  [[nodiscard]] uint64_t salt_of(const ScheduledSequence& sequence) const;
  [[nodiscard]] std::span<const int32_t> matchable(const ScheduledSequence& sequence) const;
  [[nodiscard]] int32_t resident_blocks(int64_t n_tokens) const;
  [[nodiscard]] int32_t missing_blocks(const ScheduledSequence& sequence) const;
  [[nodiscard]] bool has_room(const ScheduledSequence& sequence, int32_t margin);
  [[nodiscard]] int32_t first_kept(const ScheduledSequence& sequence) const;
  void take_cached(ScheduledSequence& sequence);

  SchedulerOptions options_;
  cache::KvBlocks& blocks_;
  FairShare shares_;
  WaitingQueue waiting_;
  std::vector<ScheduledSequence*> running_;  // in order
  int32_t n_slots_ = 0;                      // of running_
  uint64_t last_number_ = 0;
  uint64_t last_rank_ = 0;
  int64_t n_preemptions_ = 0;
  // Who did not fit when last tried, and into how many blocks.
  const ScheduledSequence* refused_ = nullptr;
  int32_t refused_margin_ = 0;
  // The step.
  std::vector<ScheduledRows> rows_;
  std::vector<ScheduledRows> prompt_rows_;  // until they follow the decodes in rows_
  std::vector<cache::BlockCopy> copies_;
  std::vector<ScheduledSequence*> expired_;
  bool is_planned_ = false;  // and not completed
};

}  // namespace forge::engine
