#include "forge/kernels/cuda/runtime/cudart/device_state.h"
#include "forge/kernels/cuda/runtime/cudart/handles.h"
#include "forge/kernels/cuda/runtime/stream.h"

namespace forge::kernels::cuda {

Result<Event> Event::create(int32_t device, Kind kind) {
  FORGE_TRY_STATUS(use(device));
  Event event;
  event.state_.reset(new State{.device = device});
  const unsigned flags = kind == Kind::kOrder ? cudaEventDisableTiming : cudaEventDefault;
  FORGE_TRY_STATUS(
      check(device, cudaEventCreateWithFlags(&event.state_->event, flags), "making an event"));
  return event;
}

void Event::Free::operator()(State* state) const {
  if (state->event != nullptr && use(state->device).ok()) (void)cudaEventDestroy(state->event);
  delete state;
}

Status Event::record(Stream& stream) {
  FORGE_TRY_STATUS(use(state_->device));
  return check(state_->device, cudaEventRecord(state_->event, stream.state()->stream),
               "recording an event");
}

Status Event::wait() {
  FORGE_TRY_STATUS(use(state_->device));
  return check(state_->device, cudaEventSynchronize(state_->event), "running what was queued");
}

Result<bool> Event::is_done() {
  FORGE_TRY_STATUS(use(state_->device));
  const cudaError_t error = cudaEventQuery(state_->event);
  if (error == cudaErrorNotReady) return false;
  FORGE_TRY_STATUS(check(state_->device, error, "running what was queued"));
  return true;
}

Result<double> Event::seconds_between(const Event& first, const Event& last) {
  const int32_t device = last.state_->device;
  FORGE_TRY_STATUS(use(device));
  float milliseconds = 0.0f;
  FORGE_TRY_STATUS(
      check(device, cudaEventElapsedTime(&milliseconds, first.state_->event, last.state_->event),
            "measuring"));
  return double{milliseconds} / 1000.0;
}

}  // namespace forge::kernels::cuda
