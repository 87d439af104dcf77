#include "forge/base/stage_meeting.h"

namespace forge {
namespace {

constexpr uint64_t kOneMember = uint64_t{1} << 16;
constexpr uint64_t kOneFinished = 1;
constexpr uint32_t kNoMoreRuns = 0xFFFF;  // in place of a number of members

struct State {
  uint32_t stage = 0;
  uint32_t n_members = 0;
  uint32_t n_finished = 0;
};

constexpr State unpack(uint64_t word) {
  return {static_cast<uint32_t>(word >> 32), static_cast<uint32_t>(word >> 16) & 0xFFFF,
          static_cast<uint32_t>(word) & 0xFFFF};
}

constexpr uint64_t pack(State state) {
  return uint64_t{state.stage} << 32 | uint64_t{state.n_members} << 16 | state.n_finished;
}

constexpr uint32_t after(uint32_t stage) { return (stage + 1) & StageWord::kMask; }

}  // namespace

uint32_t StageMeeting::next_run() const {
  return after(unpack(state_.load(std::memory_order_relaxed)).stage);
}

uint32_t StageMeeting::open() {
  const uint32_t stage = next_run();
  state_.store(pack({stage, 1, 0}), std::memory_order_release);
  running_.set(stage);
  return stage;
}

void StageMeeting::close() {
  const uint32_t stage = next_run();
  state_.store(pack({stage, kNoMoreRuns, 0}), std::memory_order_release);
  running_.set(stage);
}

StageMeeting::Answer StageMeeting::join(uint32_t& stage) {
  uint64_t word = state_.load(std::memory_order_acquire);
  for (;;) {
    const State state = unpack(word);
    stage = state.stage;
    if (state.n_members == kNoMoreRuns) return Answer::kClosed;
    // No run (0 of 0), or the last one to finish is about to begin the next stage.
    if (state.n_finished == state.n_members) return Answer::kWait;
    if (state_.compare_exchange_weak(word, word + kOneMember, std::memory_order_acq_rel,
                                     std::memory_order_acquire)) {
      return Answer::kStage;
    }
  }
}

StageMeeting::Answer StageMeeting::finish(uint32_t& stage, bool is_last,
                                          std::chrono::nanoseconds spin) {
  const Answer done = is_last ? Answer::kEnded : Answer::kStage;
  const uint32_t next = after(stage);
  const State state = unpack(state_.fetch_add(kOneFinished, std::memory_order_acq_rel));
  if (state.n_finished + 1 == state.n_members) {
    state_.store(pack({next, is_last ? 0 : state.n_members, 0}), std::memory_order_release);
    running_.set(next);
  } else if (!running_.spin_past(stage, spin)) {
    if (try_leave(stage)) return Answer::kWait;
    running_.sleep_past(stage);
  }
  stage = next;
  return done;
}

bool StageMeeting::try_leave(uint32_t stage) {
  uint64_t word = state_.load(std::memory_order_acquire);
  for (;;) {
    const State state = unpack(word);
    // Too late: the stage ends at this moment or has ended.
    if (state.stage != stage || state.n_finished == state.n_members) return false;
    if (state_.compare_exchange_weak(word, word - kOneMember - kOneFinished,
                                     std::memory_order_acq_rel, std::memory_order_acquire)) {
      return true;
    }
  }
}

}  // namespace forge
