// launch.h for kernels on the CPU.
#define FORGE_SIMT
#include <chrono>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "forge/base/check.h"
#include "forge/kernels/cuda/runtime/launch.h"
#include "forge/kernels/cuda/runtime/stream.h"
#include "tests/simt/machine.h"
#include "tests/simt/native_stream.h"

namespace forge::kernels::cuda {
namespace {

using fake_cuda::Lock;
using fake_cuda::machine;
using Operation = std::function<void()>;

/// What a stream has to do. Events keep it, so it may outlive its stream.
struct Queue {
  int32_t device = 0;
  std::deque<Operation> waiting;
  uint64_t n_queued = 0;
  uint64_t n_done = 0;
};

void do_next(Queue& queue) {
  const Operation operation = std::move(queue.waiting.front());
  queue.waiting.pop_front();
  operation();
  ++queue.n_done;
}

/// Works off a queue until n_done operations are done.
void work_off(Queue& queue, uint64_t n_done) {
  while (queue.n_done < n_done) do_next(queue);
}

}  // namespace

struct Stream::State {
  std::shared_ptr<Queue> queue;
  bool is_recording = false;
  std::vector<Operation> recorded;
  fake_cuda::NativeStream native;  // for libraries that queue work themselves
};

struct Event::State {
  std::shared_ptr<Queue> queue;  // of the last record(); null: nothing was recorded
  uint64_t place = 0;            // done when the queue has done so many
  std::chrono::steady_clock::time_point when;
};

struct Graph::State {
  std::vector<Operation> operations;
};

namespace {

Status add(Stream::State& stream, Operation operation) {
  const Lock lock(machine().mutex);
  FORGE_TRY_STATUS(fake_cuda::status_of(stream.queue->device));
  if (stream.is_recording) {
    stream.recorded.push_back(std::move(operation));
    return {};
  }
  ++machine().counts.n_launches;
  stream.queue->waiting.push_back(std::move(operation));
  ++stream.queue->n_queued;
  return {};
}

}  // namespace

Result<Event> Event::create(int32_t device, Kind) {
  const Lock lock(machine().mutex);
  FORGE_TRY_STATUS(fake_cuda::status_of(device));
  Event event;
  event.state_.reset(new State);
  return event;
}

void Event::Free::operator()(State* state) const {
  const Lock lock(machine().mutex);
  // What is queued writes its time into the state.
  if (state->queue != nullptr) work_off(*state->queue, state->place);
  delete state;
}

Status Event::record(Stream& stream) {
  const Lock lock(machine().mutex);
  FORGE_CHECK(!stream.state()->is_recording, "an event in a recording");
  State* state = state_.get();
  FORGE_TRY_STATUS(
      add(*stream.state(), [state] { state->when = std::chrono::steady_clock::now(); }));
  state->queue = stream.state()->queue;
  state->place = state->queue->n_queued;
  return {};
}

Status Event::wait() {
  const Lock lock(machine().mutex);
  if (state_->queue == nullptr) return {};
  ++machine().counts.n_waits;
  work_off(*state_->queue, state_->place);
  return fake_cuda::status_of(state_->queue->device);
}

// One operation of the stream a call, so that who asks again and again comes to an end.
Result<bool> Event::is_done() {
  const Lock lock(machine().mutex);
  if (state_->queue == nullptr) return true;
  FORGE_TRY_STATUS(fake_cuda::status_of(state_->queue->device));
  if (state_->queue->n_done >= state_->place) return true;
  do_next(*state_->queue);
  return false;
}

Result<double> Event::seconds_between(const Event& first, const Event& last) {
  return std::chrono::duration<double>(last.state_->when - first.state_->when).count();
}

void Graph::Free::operator()(State* state) const { delete state; }

Status Graph::launch(Stream& stream) {
  return add(*stream.state(), [operations = state_->operations] {
    for (const Operation& operation : operations) operation();
  });
}

int64_t Graph::n_nodes() const { return static_cast<int64_t>(state_->operations.size()); }

Result<Stream> Stream::create(int32_t device, Priority) {
  const Lock lock(machine().mutex);
  FORGE_TRY_STATUS(fake_cuda::status_of(device));
  Stream stream;
  stream.state_.reset(new State);
  stream.state_->queue = std::make_shared<Queue>();
  stream.state_->queue->device = device;
  return stream;
}

// As cudaStreamDestroy: what is queued still runs.
void Stream::Free::operator()(State* state) const {
  const Lock lock(machine().mutex);
  work_off(*state->queue, state->queue->n_queued);
  delete state;
}

Status Stream::copy(void* to, const void* from, int64_t bytes) {
  if (bytes == 0) return {};
  return add(*state_, [to, from, bytes] { std::memcpy(to, from, static_cast<size_t>(bytes)); });
}

Status Stream::fill(void* to, uint8_t value, int64_t bytes) {
  if (bytes == 0) return {};
  return add(*state_, [to, value, bytes] { std::memset(to, value, static_cast<size_t>(bytes)); });
}

Status Stream::wait_for(const Event& event) {
  const Lock lock(machine().mutex);
  FORGE_CHECK(!state_->is_recording, "waiting for an event in a recording");
  const Event::State* other = event.state_.get();
  if (other->queue == nullptr || other->queue == state_->queue) return {};
  return add(*state_, [from = other->queue, place = other->place] { work_off(*from, place); });
}

Status Stream::synchronize() {
  const Lock lock(machine().mutex);
  FORGE_CHECK(!state_->is_recording, "waiting for a recording");
  ++machine().counts.n_waits;
  work_off(*state_->queue, state_->queue->n_queued);
  return fake_cuda::status_of(state_->queue->device);
}

Status Stream::begin_recording() {
  const Lock lock(machine().mutex);
  FORGE_CHECK(!state_->is_recording, "a recording in a recording");
  FORGE_TRY_STATUS(fake_cuda::status_of(state_->queue->device));
  state_->is_recording = true;
  state_->recorded.clear();
  return {};
}

Result<Graph> Stream::end_recording() {
  const Lock lock(machine().mutex);
  FORGE_CHECK(state_->is_recording, "the end of no recording");
  state_->is_recording = false;
  FORGE_TRY_STATUS(fake_cuda::status_of(state_->queue->device));
  Graph graph;
  graph.state_.reset(new Graph::State{std::move(state_->recorded)});
  state_->recorded.clear();
  return graph;
}

int32_t Stream::device() const { return state_->queue->device; }

Result<void*> Stream::native() {
  const Lock lock(machine().mutex);
  FORGE_TRY_STATUS(fake_cuda::status_of(device()));
  State* const state = state_.get();
  state->native.add = [state](const std::function<void()>& work) {
    const auto run = [device = state->queue->device, work] {
      if (fake_cuda::status_of(device).ok()) work();
    };
    return add(*state, run).ok();
  };
  return static_cast<void*>(&state->native);
}

Status launch_body(Stream& stream, const LaunchShape& shape, std::function<void()> body) {
  const auto size = [](int32_t n) { return static_cast<uint32_t>(n); };
  const simt::Launch launch{shape.name,
                            {size(shape.grid.x), size(shape.grid.y), size(shape.grid.z)},
                            {size(shape.n_threads), 1, 1},
                            shape.shared_bytes};
  return add(*stream.state(), [device = stream.device(), launch, body = std::move(body)] {
    fake_cuda::run_kernel(device, launch, body);
  });
}

}  // namespace forge::kernels::cuda
