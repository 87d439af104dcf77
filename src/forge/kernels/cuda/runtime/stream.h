// Queues of work on a device, marks in them, and work recorded to be repeated.
//
// After an error of the device every operation on it fails with what happened first: "cuda:0
// (NVIDIA H200): an uncorrectable ECC error ...".
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "forge/base/result.h"

namespace forge::kernels::cuda {

class Stream;

/// A mark in a stream. Movable; one thread at a time.
class Event {
 public:
  enum class Kind { kOrder, kTiming };

  Event() = default;
  [[nodiscard]] static Result<Event> create(int32_t device, Kind kind = Kind::kOrder);

  /// Marks what has been queued so far.
  [[nodiscard]] Status record(Stream& stream);
  /// Blocks until all that the last record() marked is done. At once where nothing was recorded.
  [[nodiscard]] Status wait();
  /// Whether it is done.
  [[nodiscard]] Result<bool> is_done();
  /// Between two done events of Kind::kTiming.
  [[nodiscard]] static Result<double> seconds_between(const Event& first, const Event& last);

 private:
  friend class Stream;
  struct State;
  struct Free {
    void operator()(State* state) const;
  };
  std::unique_ptr<State, Free> state_;
};

/// Recorded work. Addresses and arguments are the recorded ones. Movable.
class Graph {
 public:
  Graph() = default;
  [[nodiscard]] bool is_empty() const { return state_ == nullptr; }
  /// Queues all of it.
  [[nodiscard]] Status launch(Stream& stream);
  /// Nodes in it.
  [[nodiscard]] int64_t n_nodes() const;

 private:
  friend class Stream;
  struct State;
  struct Free {
    void operator()(State* state) const;
  };
  std::unique_ptr<State, Free> state_;
};

/// A queue: operations run in order, beside those of other streams. Movable; one thread at a time.
class Stream {
 public:
  enum class Priority { kLow, kHigh };

  Stream() = default;
  [[nodiscard]] static Result<Stream> create(int32_t device, Priority priority = Priority::kLow);

  /// Copies between any two of host and device memory; the host's must be pinned to run beside its
  /// work, and must stay as it is until the copy is done.
  [[nodiscard]] Status copy(void* to, const void* from, int64_t bytes);
  [[nodiscard]] Status fill(void* to, uint8_t value, int64_t bytes);
  /// What is queued from now on starts after what the event marks.
  [[nodiscard]] Status wait_for(const Event& event);
  /// Blocks until everything is done; fails with the first error of the device.
  [[nodiscard]] Status synchronize();

  /// What is queued between the two is recorded and not run: kernels, copies and fills; events and
  /// waiting are refused.
  [[nodiscard]] Status begin_recording();
  [[nodiscard]] Result<Graph> end_recording();

  [[nodiscard]] int32_t device() const;

  /// The cudaStream_t, for libraries that queue work of their own. Makes its device the calling
  /// thread's current one, which they go by; fails where the device is lost.
  [[nodiscard]] Result<void*> native();

  struct State;
  /// For launch.h.
  [[nodiscard]] State* state() const { return state_.get(); }

 private:
  friend class Event;
  friend class Graph;
  struct Free {
    void operator()(State* state) const;
  };
  std::unique_ptr<State, Free> state_;
};

}  // namespace forge::kernels::cuda
