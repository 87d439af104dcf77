// An engine loop around the real scheduler, on a model that is pure bookkeeping: the key of a
// position is a hash of everything up to it, and every step checks each key that it would read.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "forge/cache/kv_blocks.h"
#include "forge/engine/scheduler/scheduler.h"

namespace forge::engine {

struct SimulatedRequest {
  std::vector<int32_t> prompt;
  int32_t n_generate = 1;
  int32_t n_choices = 1;
  uint64_t seed = 0;
  int32_t priority = 0;
  std::string client;
  uint64_t cache_salt = 0;
  bool uses_prefix_cache = true;
  bool wants_prompt_logits = false;
  std::optional<TimePoint> queue_deadline;
};

/// Runs requests to their end. Every step checks: the scheduler's and the cache's invariants, the
/// budgets, that rows are of running sequences and go on where these stopped, that no position is
/// written through a shared block, and that every position a row may look at holds the right key.
class SimulatedEngine {
 public:
  SimulatedEngine(const SchedulerOptions& options, const cache::KvBlocks::Options& blocks);
  ~SimulatedEngine();

  /// The tokens that a request gets alone, without any cache.
  static std::vector<std::vector<int32_t>> generate_alone(const SimulatedRequest& request,
                                                          const SchedulerOptions& options);

  int32_t submit(const SimulatedRequest& request);
  void cancel(int32_t request);
  /// One step; false where it was empty. `between` is called after plan() and before complete().
  bool step(TimePoint now = {}, int32_t max_prompt_tokens = 1 << 30,
            const std::function<void()>& between = {});

  [[nodiscard]] bool is_idle() const { return live_.empty(); }
  [[nodiscard]] bool is_live(int32_t request) const { return live_.contains(request); }
  /// A finished request's tokens, by choice.
  [[nodiscard]] const std::vector<std::vector<int32_t>>& result(int32_t request) const {
    return results_.at(request);
  }
  [[nodiscard]] const std::set<int32_t>& expired() const { return expired_; }
  [[nodiscard]] const std::vector<int32_t>& finished() const { return finished_; }
  [[nodiscard]] const StepPlan& last_plan() const { return plan_; }
  [[nodiscard]] ScheduledSequence& sequence(int32_t request, size_t choice = 0);
  [[nodiscard]] Scheduler& scheduler() { return scheduler_; }
  [[nodiscard]] cache::KvBlocks& blocks() { return blocks_; }
  [[nodiscard]] int64_t n_computed_tokens() const { return n_computed_tokens_; }

 private:
  struct Choice {
    ScheduledSequence sequence;
    int32_t request = 0;
    uint64_t seed = 0;
    std::vector<int32_t> prompt_logits;  // how often each came
  };
  struct Live {
    SimulatedRequest request;
    std::vector<std::unique_ptr<Choice>> choices;
    size_t n_open = 0;
    bool is_forked = false;
  };

  void check_plan(int32_t max_prompt_tokens) const;
  void write_keys();
  void check_keys() const;
  void sample(const std::vector<ScheduledRows>& rows);
  void append(Choice& choice, uint64_t key);
  void finish(Choice& choice);
  uint64_t& key_at(const ScheduledSequence& sequence, int32_t position);

  SchedulerOptions options_;
  cache::KvBlocks blocks_;
  Scheduler scheduler_;
  std::vector<uint64_t> keys_;  // (n_blocks, kBlockLen)
  std::map<const ScheduledSequence*, Choice*> choices_;
  std::map<int32_t, Live> live_;
  std::map<int32_t, std::vector<std::vector<int32_t>>> results_;
  std::vector<int32_t> finished_;
  std::set<int32_t> expired_;
  StepPlan plan_;
  int32_t last_request_ = 0;
  int64_t n_computed_tokens_ = 0;
};

}  // namespace forge::engine
