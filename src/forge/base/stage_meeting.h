// Where workers meet between the stages of a run, without waiting for one that is not running.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "forge/base/stage_word.h"

namespace forge {

/// A barrier whose members come and go. A stage ends when every *member* has finished it. A member
/// that has waited for long leaves and sleeps; it joins again, in whatever stage the others have
/// reached by then, when the kernel lets it run. So where another process takes a core, the others
/// wait for the piece of work that this core holds, but never for a thread that only has to wake
/// up. (With a plain barrier they wait for both, at every stage.)
///
/// A run is opened by one thread, its first member; others join. A member works on the stage it was
/// told and calls finish(), until that says that it is no member any more. Stage numbers count on
/// from run to run, modulo StageWord::kMask + 1.
///
///   state_: bits 62..32 stage      bits 31..16 members, 0 between runs      bits 15..0 finished
///
/// The last one to finish owns the state until it has begun the next stage: nobody joins or leaves
/// while all members have finished.
class StageMeeting {
 public:
  enum class Answer {
    kStage,  // work on the stage
    kWait,   // not a member: wait_past(the stage that was told), then join()
    kEnded,  // finish() only: the run has ended
    kClosed  // join() only: there will be no more runs
  };

  /// The first stage of the run that the next open() begins. Only while no run is open.
  [[nodiscard]] uint32_t next_run() const;

  /// Begins a run with the caller as the only member, and tells its first stage, next_run(). What
  /// the caller wrote before is visible to those that join. Only while no run is open.
  uint32_t open();

  /// No more runs: sleepers wake, join() says kClosed. Only while no run is open.
  void close();

  /// Makes the caller a member and tells the stage to work on, or kWait, or kClosed.
  [[nodiscard]] Answer join(uint32_t& stage);

  /// A member has finished the stage, the run's last one where is_last. Waits for the others,
  /// spinning for at most `spin`; what they wrote is visible afterwards. kStage: go on with the
  /// stage that follows, which it tells. kWait: the others took longer, the caller is no member
  /// now.
  [[nodiscard]] Answer finish(uint32_t& stage, bool is_last, std::chrono::nanoseconds spin);

  /// Returns when the stage has ended: spins for at most `spin`, then sleeps.
  void wait_past(uint32_t stage, std::chrono::nanoseconds spin) {
    if (!running_.spin_past(stage, spin)) running_.sleep_past(stage);
  }

 private:
  [[nodiscard]] bool try_leave(uint32_t stage);

  alignas(64) std::atomic<uint64_t> state_{0};
  // The stage of state_ again, for those who wait: their reading does not slow down the counting.
  // Set right after it, so at times one behind.
  StageWord running_;
};

}  // namespace forge
