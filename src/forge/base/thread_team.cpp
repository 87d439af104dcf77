#include "forge/base/thread_team.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "forge/base/bounded_wait.h"
#include "forge/base/check.h"

namespace forge {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

// A sleeping thread needs 5-50 us to wake, so spinning about as long loses at most a factor of two.
constexpr nanoseconds kMaxSpin{50'000};
// What spinning shrinks to where it does not help (more threads than cores): see Worker::spin.
constexpr nanoseconds kMinSpin{1'000};
// Above this many workers each cluster counts for itself first: one cache line takes 20-100 ns for
// each core that writes it.
constexpr int kClusterSize = 16;

struct alignas(64) Counter {
  std::atomic<int> arrived{0};
  int expected = 0;

  /// True for the last one, for whom the counter is ready for the next barrier.
  bool is_last() {
    if (arrived.fetch_add(1, std::memory_order_acq_rel) + 1 != expected) return false;
    arrived.store(0, std::memory_order_relaxed);  // published by the word that ends the barrier
    return true;
  }
};

struct alignas(64) Worker {
  // Halved by every wait that ended asleep and doubled by every one that did not: where cores are
  // short, spinning keeps the very thread from running that is waited for.
  nanoseconds spin = kMaxSpin;
  nanoseconds waited{0};
};

}  // namespace

struct ThreadTeam::State {
  explicit State(int n)
      : n_threads(n), workers(n), clusters((n + kClusterSize - 1) / kClusterSize) {
    for (int w = 0; w < n; ++w) ++clusters[w / kClusterSize].expected;
    root.expected = static_cast<int>(clusters.size());
  }

  // Everything above `barrier_word` is written between runs only.
  int n_threads;
  bool is_timed = false;
  bool is_stopping = false;
  const FunctionRef<void(int)>* body = nullptr;

  WaitWord run_word;      // advanced by the caller: a run begins, or the team stops
  WaitWord barrier_word;  // advanced by the last one to arrive
  Counter root;
  std::vector<Worker> workers;
  std::vector<Counter> clusters;
  std::vector<std::thread> threads;

  // Returns whether the worker is the last one of all.
  bool arrive(int worker) {
    if (!clusters[static_cast<size_t>(worker / kClusterSize)].is_last()) return false;
    return clusters.size() == 1 || root.is_last();
  }

  void wait(int worker, uint32_t seen) {
    Worker& self = workers[static_cast<size_t>(worker)];
    const Clock::time_point start = is_timed ? Clock::now() : Clock::time_point{};
    if (barrier_word.wait_past(seen, self.spin)) {
      self.spin = std::min(self.spin * 2, kMaxSpin);
    } else {
      self.spin = std::max(self.spin / 2, kMinSpin);
    }
    if (is_timed) self.waited += Clock::now() - start;
  }

  void work(int worker) {
    uint32_t seen = 0;  // no run has begun when a team's threads are started
    for (;;) {
      run_word.wait_past(seen, kMaxSpin);
      seen = run_word.count();
      if (is_stopping) return;
      (*body)(worker);
      // The end of a run is a barrier that only the caller waits at.
      if (arrive(worker)) barrier_word.advance();
    }
  }
};

ThreadTeam::ThreadTeam(int n_threads) {
  FORGE_CHECK(n_threads >= 1, "n_threads {}", n_threads);
  state_ = std::make_unique<State>(n_threads);
  state_->threads.reserve(static_cast<size_t>(n_threads - 1));
  for (int w = 1; w < n_threads; ++w) {
    state_->threads.emplace_back([state = state_.get(), w] { state->work(w); });
  }
}

ThreadTeam::~ThreadTeam() {
  state_->is_stopping = true;
  state_->run_word.advance();
  for (std::thread& thread : state_->threads) thread.join();
}

int ThreadTeam::n_threads() const { return state_->n_threads; }

void ThreadTeam::run(FunctionRef<void(int worker)> body) {
  State& s = *state_;
  if (s.n_threads == 1) return body(0);
  s.body = &body;
  s.run_word.advance();
  body(0);
  barrier(0);
}

void ThreadTeam::barrier(int worker) {
  State& s = *state_;
  if (s.n_threads == 1) return;
  // Read before arriving: the count cannot move until this worker has arrived.
  const uint32_t seen = s.barrier_word.count();
  if (s.arrive(worker)) {
    s.barrier_word.advance();
  } else {
    s.wait(worker, seen);
  }
}

void ThreadTeam::time_waiting(bool is_timed) { state_->is_timed = is_timed; }

nanoseconds ThreadTeam::waited(int worker) const {
  return state_->workers[static_cast<size_t>(worker)].waited;
}

}  // namespace forge
