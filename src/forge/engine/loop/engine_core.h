// The engine's work without its thread: requests in, steps, news out.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "forge/cache/kv_blocks.h"
#include "forge/engine.h"
#include "forge/engine/loaded_model.h"
#include "forge/engine/loop/device_sampling.h"
#include "forge/engine/loop/live_request.h"
#include "forge/engine/loop/pooler.h"
#include "forge/engine/loop/step_batch.h"
#include "forge/engine/loop/step_work.h"
#include "forge/engine/scheduler/lazy_min_heap.h"
#include "forge/engine/scheduler/prompt_pacer.h"
#include "forge/engine/scheduler/scheduler.h"
#include "forge/models/decoder.h"

namespace forge::engine {

struct CoreOptions {
  SchedulerOptions scheduler;
  cache::KvBlocks::Options blocks;
  double prompt_share = 0.5;
  std::string_view number_hint = {};  // what errors about results that are no numbers go on with
  bool checks_invariants = false;     // after every step: for tests and debug builds
};

/// Owns the live requests, the scheduler and the cache's bookkeeping. Where a device chooses the
/// tokens, the next step is planned and launched before the last one is read: sequences go on with
/// a token that the host does not know yet, and one that turns out to have ended computed a token
/// too many, which nobody sees. A steady step (every sequence decodes, no log-probabilities, no
/// penalties) allocates nothing, once the scratch memory of truncation has its size. One thread.
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
  void expire(TimePoint now);
  void fail_queued(const StepPlan& plan);
  void start(const StepPlan& plan, TimePoint now);
  [[nodiscard]] bool launch(const StepPlan& plan, StepWork& work);
  void go_on_without_knowing(StepWork& work);
  [[nodiscard]] bool finish(StepWork& work);
  void append(Choosing& chosen, TimePoint now);
  [[nodiscard]] std::optional<FinishReason> end_of(const LiveChoice& choice, int32_t length,
                                                   int32_t id) const;
  bool fail(const Error& error);
  void fail(LiveChoice& choice, Error error);
  void fail_all(const Error& error);
  void end(LiveChoice& choice, FinishReason reason, std::optional<Error> error = {});
  void remove(LiveRequest& request, FinishReason reason);

  const LoadedModel& loaded_;
  models::Decoder decoder_;
  const CoreOptions options_;
  cache::KvBlocks blocks_;
  Scheduler scheduler_;
  PromptPacer pacer_;
  StepBatch batch_;
  std::vector<std::shared_ptr<LiveRequest>> live_;
  LazyMinHeap<LiveRequest> deadlines_;  // of those in live_ that have one
  DeviceSampling sampling_;
  std::array<StepWork, 2> works_;
  Pooler pooler_;
  StepWork* under_way_ =
      nullptr;               // launched and not finished: the device chooses all of its tokens
  TimePoint last_end_ = {};  // when the last step was finished
  int32_t n_unstarted_ = 0;
  std::optional<Error> failure_;
  EngineStats stats_;
};

}  // namespace forge::engine
