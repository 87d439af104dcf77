#include "forge/kernels/cuda/runtime/cudart/device_state.h"

#include <array>
#include <atomic>
#include <mutex>

#include "forge/base/check.h"

namespace forge::kernels::cuda {
namespace {

struct DeviceState {
  std::mutex mutex;
  std::string label;  // under mutex
  std::string loss;   // under mutex: the message of what lost it
  std::atomic<bool> is_lost{false};
  std::atomic<int32_t> compute_capability{0};
};

/// More than any machine has.
constexpr int32_t kMaxDevices = 64;

DeviceState& state_of(int32_t device) {
  static std::array<DeviceState, kMaxDevices> states;
  FORGE_CHECK(device >= 0 && device < kMaxDevices, "device {}", device);
  return states[static_cast<size_t>(device)];
}

/// Errors after which the process can do nothing more on the device. Reference: CUDA Runtime API,
/// cudaError: "leaves the process in an inconsistent state".
bool is_fatal(cudaError_t error) {
  switch (error) {
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorAssert:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure:
    case cudaErrorECCUncorrectable:
    case cudaErrorNvlinkUncorrectable:
    case cudaErrorExternalDevice:
    case cudaErrorTensorMemoryLeak:
    case cudaErrorDeviceUninitialized:
    case cudaErrorContextIsDestroyed:
    case cudaErrorUnknown:
      return true;
    default:
      return false;
  }
}

Error lost(DeviceState& state) {
  const std::lock_guard lock(state.mutex);
  return Error{state.loss, ErrorKind::kInternal};
}

}  // namespace

Status use(int32_t device) {
  thread_local int32_t current = -1;
  DeviceState& state = state_of(device);
  if (state.is_lost.load(std::memory_order_acquire)) return lost(state);
  if (current == device) return {};
  FORGE_TRY_STATUS(check(device, cudaSetDevice(device), "making it the current device"));
  current = device;
  return {};
}

Status check(int32_t device, cudaError_t error, std::string_view what, std::string_view name) {
  if (error == cudaSuccess) return {};
  // What is not fatal must not be found by the next who asks for the last error.
  (void)cudaGetLastError();
  DeviceState& state = state_of(device);
  if (state.is_lost.load(std::memory_order_acquire)) return lost(state);
  std::string message = fmt::format("{}: {}{}{}: {}", label_of(device), what,
                                    name.empty() ? "" : " ", name, cudaGetErrorString(error));
  if (is_fatal(error)) {
    const std::lock_guard lock(state.mutex);
    if (state.loss.empty()) state.loss = message;
    message = state.loss;
    state.is_lost.store(true, std::memory_order_release);
  }
  return Error{std::move(message), ErrorKind::kInternal};
}

void set_label(int32_t device, std::string label) {
  DeviceState& state = state_of(device);
  const std::lock_guard lock(state.mutex);
  state.label = std::move(label);
}

std::string label_of(int32_t device) {
  DeviceState& state = state_of(device);
  const std::lock_guard lock(state.mutex);
  return state.label.empty() ? fmt::format("cuda:{}", device) : state.label;
}

void set_compute_capability(int32_t device, int32_t capability) {
  state_of(device).compute_capability.store(capability, std::memory_order_relaxed);
}

int32_t compute_capability_of(int32_t device) {
  return state_of(device).compute_capability.load(std::memory_order_relaxed);
}

}  // namespace forge::kernels::cuda
