// The engine's work without its thread: requests in, steps, news out.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "forge/cache/kv_blocks.h"
#include "forge/engine.h"
#include "forge/engine/loaded_model.h"
#include "forge/engine/loop/live_request.h"
#include "forge/engine/loop/step_batch.h"
#include "forge/engine/scheduler/lazy_min_heap.h"
#include "forge/engine/scheduler/prompt_pacer.h"
#include "forge/engine/scheduler/scheduler.h"
#include "forge/models/decoder.h"

namespace forge::engine {

struct CoreOptions {
  SchedulerOptions scheduler;
  cache::KvBlocks::Options blocks;
  double prompt_share = 0.5;
  bool checks_invariants = false;  // after every step: for tests and debug builds
};

/// Owns the live requests, the scheduler and the cache's bookkeeping. A steady step (every sequence
/// decodes, no log-probabilities, no penalties) allocates nothing, once the scratch memory of
/// truncation has its size. One thread.
class EngineCore {
 public:
  /// The model must outlive it. The decoder's sizes fit the options.
  EngineCore(const LoadedModel& loaded, models::Decoder decoder, const CoreOptions& options);
  /// Ends everything.
  ~EngineCore() { cancel_all(); }
  EngineCore(const EngineCore&) = delete;
  EngineCore& operator=(const EngineCore&) = delete;

  void add(std::shared_ptr<LiveRequest> request, TimePoint now);
  /// Ends a request, if it is live.
  void cancel(LiveRequest& request, FinishReason reason);
  /// Ends one choice for which the reader wants no more tokens. The reader knows why.
  void stop_choice(LiveRequest& request, int32_t choice);
  /// Ends everything.
  void cancel_all();

  /// One step; false where there was nothing to do, or the device was lost: then every request has
  /// ended with the error.
  bool step();
  /// Why no step is possible any more.
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }

  /// Requests whose first step has not begun.
  [[nodiscard]] int32_t n_unstarted() const { return n_unstarted_; }
  /// Gauges of this moment among them.
  [[nodiscard]] EngineStats stats() const;

 private:
  /// A token to be chosen, or that has been.
  struct Choosing {
    LiveChoice* choice = nullptr;
    int64_t row = 0;  // of the step's logits; kNothing: the choice ends with its prompt
    std::optional<Result<int32_t>> result = {};
    PositionLogprobs logprobs = {};
  };
  static constexpr int64_t kNothing = -1;
  /// A prompt token that is to predict the next one.
  struct PromptScore {
    LiveRequest* request = nullptr;
    int32_t position = 0;
    int64_t row = 0;  // of the step's logits
  };

  void expire(TimePoint now);
  void fail_queued(const StepPlan& plan);
  void start(const StepPlan& plan, TimePoint now);
  void harvest(const StepPlan& plan);
  void pool(const ScheduledRows& rows, int64_t first_row);
  void collect_prompt_scores(const ScheduledRows& rows, int64_t first_logits);
  void finish_prompt(LiveChoice& choice, int64_t row);
  void read_logits();
  void choose(Choosing& job) const;
  void score(const PromptScore& job) const;
  void append(Choosing& chosen, TimePoint now);
  [[nodiscard]] std::optional<FinishReason> end_of(const LiveChoice& choice, int32_t id) const;
  void fail_all(const Error& error);
  void end(LiveChoice& choice, FinishReason reason, std::optional<Error> error = {});
  void remove(LiveRequest& request, FinishReason reason);
  [[nodiscard]] std::span<const float> logits_of(int64_t row) const;

  const LoadedModel& loaded_;
  models::Decoder decoder_;
  const CoreOptions options_;
  cache::KvBlocks blocks_;
  Scheduler scheduler_;
  PromptPacer pacer_;
  StepBatch batch_;
  ActivationView logits_;
  std::vector<std::shared_ptr<LiveRequest>> live_;
  LazyMinHeap<LiveRequest> deadlines_;  // of those in live_ that have one
  std::vector<Choosing> choosing_;
  std::vector<PromptScore> prompt_scores_;
  std::vector<float> hidden_;  // scratch of pool()
  int32_t n_unstarted_ = 0;
  std::optional<Error> failure_;
  EngineStats stats_;
};

}  // namespace forge::engine
