// Threads that run the stages of a step together.
#pragma once

#include <chrono>
#include <memory>

#include "forge/base/function_ref.h"

namespace forge {

/// A fixed set of workers; the calling thread is worker 0. run() wakes them once and takes them
/// through a sequence of stages: no stage begins before the one before it has ended, and what
/// anyone wrote in a stage everyone sees in the next. The work of a stage is dealt out by
/// WorkRanges:
///
///   ranges.clear();
///   team.run(n_stages, [&](int stage, int worker) {
///     prepare(stage, worker);  // for itself only: scratch memory of the worker
///     while (const auto chunk = ranges.next(stage, worker, n_chunks[stage])) compute(stage,
///     *chunk);
///   });
///
/// A worker takes part in the stages during which the kernel lets it run, so the function is called
/// in each stage by at least one worker and by each worker at most once, but not by all, nor surely
/// by worker 0. Nobody waits for a worker that has yet to wake up; this is what keeps the speed
/// when another process takes a core. Who waits, for the others or for the next run, spins for 50
/// us and then sleeps in the kernel: an idle team costs nothing. Threads are not pinned. run()
/// never allocates, and with one worker it is a plain loop.
///
/// A team belongs to one thread at a time: one run() at once, never from inside a run.
class ThreadTeam {
 public:
  /// n_threads counts the caller: 1 starts no thread. 1 <= n_threads <= 65,000.
  explicit ThreadTeam(int n_threads);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  [[nodiscard]] int n_threads() const;

  /// Calls body(stage, worker) for the stages 0 .. n_stages - 1 as said above, and returns when the
  /// last stage has ended. What the caller wrote before is visible to the workers, what they wrote
  /// is visible to the caller afterwards. body must not throw.
  void run(int n_stages, FunctionRef<void(int stage, int worker)> body);

  /// Whether waiting is timed, off at first (two clock readings per stage and worker). Not during a
  /// run.
  void time_waiting(bool is_timed);

  /// How long a worker has waited for others inside runs since the team was made, where that was
  /// timed: the difference of two calls is the waiting in between. All of worker 0's waiting
  /// counts; for the others sleep does not, and that at the end of a run may be missing just after
  /// it.
  [[nodiscard]] std::chrono::nanoseconds waited(int worker) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace forge
