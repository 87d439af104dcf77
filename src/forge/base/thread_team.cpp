#include "forge/base/thread_team.h"

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "forge/base/check.h"
#include "forge/base/stage_meeting.h"

namespace forge {
namespace {

using Answer = StageMeeting::Answer;
using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

// A sleeping thread needs 5-50 us to wake, so spinning about as long loses at most a factor of two.
constexpr nanoseconds kSpin{50'000};
constexpr nanoseconds kNoSpin{0};
constexpr int kMaxThreads = 65'000;  // StageMeeting counts members in 16 bits

// Written by its worker alone, 64 bytes apart from the next.
struct alignas(64) Waiting {
  std::atomic<int64_t> total_ns{0};

  void add(Clock::duration time) {
    total_ns.store(total_ns.load(std::memory_order_relaxed) + nanoseconds(time).count(),
                   std::memory_order_relaxed);
  }
};

}  // namespace

struct ThreadTeam::State {
  explicit State(int n) : waiting(static_cast<size_t>(n)) {}

  // Written by the caller between runs, read by members of the meeting only.
  const FunctionRef<void(int, int)>* body = nullptr;
  int n_stages = 0;
  uint32_t first_stage = 0;
  bool is_timed = false;

  StageMeeting meeting;
  std::vector<Waiting> waiting;
  std::vector<std::thread> threads;

  [[nodiscard]] int index_of(uint32_t stage) const {
    return static_cast<int>((stage - first_stage) & StageWord::kMask);
  }

  // Works as a member, until the run has ended (kEnded) or the worker has left it (kWait).
  Answer take_part(uint32_t& stage, int worker) {
    const bool times = is_timed;
    for (;;) {
      const int index = index_of(stage);
      (*body)(index, worker);
      const Clock::time_point start = times ? Clock::now() : Clock::time_point{};
      const Answer answer = meeting.finish(stage, index == n_stages - 1, kSpin);
      // NOTE: the caller may change everything above from here on, unless the answer is kStage.
      if (times) waiting[static_cast<size_t>(worker)].add(Clock::now() - start);
      if (answer != Answer::kStage) return answer;
    }
  }

  // The threads of the workers 1 and up.
  void work(int worker) {
    uint32_t stage = 0;
    for (;;) {
      const Answer answer = meeting.join(stage);
      if (answer == Answer::kClosed) return;
      if (answer == Answer::kWait) {
        meeting.wait_past(stage, kSpin);
      } else if (take_part(stage, worker) == Answer::kWait) {
        meeting.wait_past(stage, kNoSpin);
      }
    }
  }

  // Worker 0, having left the run: sleeps until it can join again or the run has ended.
  Answer sleep_and_join(uint32_t& stage) {
    const Clock::time_point start = is_timed ? Clock::now() : Clock::time_point{};
    Answer answer = Answer::kWait;
    while (answer == Answer::kWait) {
      meeting.wait_past(stage, kNoSpin);
      answer = meeting.join(stage);
      if (answer == Answer::kWait && index_of(stage) >= n_stages) {
        // Whoever ended the run has to be through with it before the next one opens.
        meeting.wait_past((stage - 1) & StageWord::kMask, kSpin);
        answer = Answer::kEnded;
      }
    }
    if (is_timed) waiting[0].add(Clock::now() - start);
    return answer;
  }
};

ThreadTeam::ThreadTeam(int n_threads) {
  FORGE_CHECK(n_threads >= 1 && n_threads <= kMaxThreads, "n_threads {}", n_threads);
  state_ = std::make_unique<State>(n_threads);
  state_->threads.reserve(static_cast<size_t>(n_threads - 1));
  for (int w = 1; w < n_threads; ++w) {
    state_->threads.emplace_back([state = state_.get(), w] { state->work(w); });
  }
}

ThreadTeam::~ThreadTeam() {
  state_->meeting.close();
  for (std::thread& thread : state_->threads) thread.join();
}

int ThreadTeam::n_threads() const { return static_cast<int>(state_->waiting.size()); }

void ThreadTeam::run(int n_stages, FunctionRef<void(int stage, int worker)> body) {
  FORGE_CHECK(n_stages >= 0, "n_stages {}", n_stages);
  State& s = *state_;
  if (s.threads.empty()) {
    for (int stage = 0; stage < n_stages; ++stage) body(stage, 0);
    return;
  }
  if (n_stages == 0) return;
  s.body = &body;
  s.n_stages = n_stages;
  s.first_stage = s.meeting.next_run();
  uint32_t stage = s.meeting.open();
  for (Answer answer = Answer::kStage; answer == Answer::kStage;) {
    answer = s.take_part(stage, 0);
    if (answer == Answer::kWait) answer = s.sleep_and_join(stage);
  }
}

void ThreadTeam::time_waiting(bool is_timed) { state_->is_timed = is_timed; }

nanoseconds ThreadTeam::waited(int worker) const {
  return nanoseconds(
      state_->waiting[static_cast<size_t>(worker)].total_ns.load(std::memory_order_relaxed));
}

}  // namespace forge
