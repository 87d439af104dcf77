#include "forge/kernels/cuda/runtime/stream.h"

#include "forge/base/check.h"
#include "forge/kernels/cuda/runtime/cudart/device_state.h"
#include "forge/kernels/cuda/runtime/cudart/handles.h"

namespace forge::kernels::cuda {

Result<Stream> Stream::create(int32_t device, Priority priority) {
  FORGE_TRY_STATUS(use(device));
  int lowest = 0;
  int highest = 0;
  FORGE_TRY_STATUS(check(device, cudaDeviceGetStreamPriorityRange(&lowest, &highest),
                         "asking for its priorities"));
  Stream stream;
  stream.state_.reset(new State{.device = device});
  // Non-blocking: not ordered with the default stream, which nothing of ours uses.
  FORGE_TRY_STATUS(
      check(device,
            cudaStreamCreateWithPriority(&stream.state_->stream, cudaStreamNonBlocking,
                                         priority == Priority::kHigh ? highest : lowest),
            "making a stream"));
  return stream;
}

// Memory that queued work uses is freed by its owners right after: the work must be done by then.
void Stream::Free::operator()(State* state) const {
  if (state->stream != nullptr && use(state->device).ok()) {
    if (state->is_recording) {
      cudaGraph_t graph = nullptr;
      (void)cudaStreamEndCapture(state->stream, &graph);
      if (graph != nullptr) (void)cudaGraphDestroy(graph);
    }
    (void)check(state->device, cudaStreamSynchronize(state->stream), "the end of a stream");
    (void)cudaStreamDestroy(state->stream);
  }
  delete state;
}

Status Stream::copy(void* to, const void* from, int64_t bytes) {
  FORGE_TRY_STATUS(use(state_->device));
  if (bytes == 0) return {};
  return check(
      state_->device,
      cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), cudaMemcpyDefault, state_->stream),
      "copying");
}

Status Stream::fill(void* to, uint8_t value, int64_t bytes) {
  FORGE_TRY_STATUS(use(state_->device));
  if (bytes == 0) return {};
  return check(state_->device,
               cudaMemsetAsync(to, value, static_cast<size_t>(bytes), state_->stream), "filling");
}

Status Stream::wait_for(const Event& event) {
  FORGE_TRY_STATUS(use(state_->device));
  return check(state_->device, cudaStreamWaitEvent(state_->stream, event.state_->event, 0),
               "waiting for an event");
}

Status Stream::synchronize() {
  FORGE_TRY_STATUS(use(state_->device));
  return check(state_->device, cudaStreamSynchronize(state_->stream), "running what was queued");
}

Status Stream::begin_recording() {
  FORGE_TRY_STATUS(use(state_->device));
  FORGE_CHECK(!state_->is_recording, "a recording in a recording");
  // Relaxed: a kernel's first launch may load its code, which the stricter modes refuse.
  FORGE_TRY_STATUS(check(state_->device,
                         cudaStreamBeginCapture(state_->stream, cudaStreamCaptureModeRelaxed),
                         "recording"));
  state_->is_recording = true;
  return {};
}

int32_t Stream::device() const { return state_->device; }

Result<void*> Stream::native() {
  FORGE_TRY_STATUS(use(state_->device));
  return static_cast<void*>(state_->stream);
}

}  // namespace forge::kernels::cuda
