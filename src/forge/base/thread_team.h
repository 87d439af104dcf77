// Threads that run a whole step together and meet at barriers inside it.
#pragma once

#include <chrono>
#include <memory>

#include "forge/base/function_ref.h"

namespace forge {

/// A fixed set of workers; the calling thread is worker 0. run() wakes all of them once, every
/// worker runs the same function from beginning to end, and barrier() inside it separates what must
/// not overlap:
///
///   team.run([&](int worker) {
///     stage_1(worker);
///     team.barrier(worker);  // what anyone wrote before it, everyone sees after it
///     stage_2(worker);
///   });
///
/// Who waits, at a barrier or for the next run, spins for a bounded time and then sleeps in the
/// kernel, so an idle team costs nothing and a core that another process takes costs little more
/// than that core. Threads are not pinned. run() and barrier() never allocate.
///
/// A team belongs to one thread at a time: one run() at once, never from inside a run.
class ThreadTeam {
 public:
  /// n_threads >= 1 counts the caller: 1 starts no thread, and its run() is a plain call.
  explicit ThreadTeam(int n_threads);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  [[nodiscard]] int n_threads() const;

  /// Calls body(worker) once for each worker 0 .. n_threads - 1, each on its own thread, and
  /// returns when all have returned. What the caller wrote before is visible to the workers, what
  /// they wrote is visible to the caller afterwards. body must not throw.
  void run(FunctionRef<void(int worker)> body);

  /// Only inside run(), with the worker's own number: returns when every worker has called it. All
  /// workers must pass the same number of barriers in one run.
  void barrier(int worker);

  /// Whether barriers are timed, off at first (two clock readings per barrier and worker). Not
  /// during a run.
  void time_waiting(bool is_timed);

  /// How long a worker has waited at barriers since the team was made, where they were timed: the
  /// difference of two calls is the waiting in between. During a run only for the worker itself.
  /// (Worker 0 waits for the others at the end of a run too; the rest do not.)
  [[nodiscard]] std::chrono::nanoseconds waited(int worker) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace forge
