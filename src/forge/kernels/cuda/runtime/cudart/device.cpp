#include "forge/kernels/cuda/runtime/device.h"

#include <cuda_runtime_api.h>

#include "forge/kernels/cuda/runtime/cudart/device_state.h"
#include "forge/kernels/cuda/runtime/cudart/probe.h"
#include "forge/kernels/cuda/runtime/device_errors.h"

namespace forge::kernels::cuda {
namespace {

/// Why the runtime finds no device.
Error why_none(cudaError_t error) {
  (void)cudaGetLastError();
  int driver = 0;
  (void)cudaDriverGetVersion(&driver);
  // Without a driver the runtime says that it is too old.
  if (driver == 0) return no_driver("libcuda.so.1 cannot be loaded");
  if (error == cudaErrorInsufficientDriver) return driver_too_old(driver, CUDART_VERSION);
  if (error == cudaErrorNoDevice) return no_devices();
  return make_error("the NVIDIA driver, of CUDA {}, finds no device: {}", version_text(driver),
                    cudaGetErrorString(error));
}

Result<int64_t> attribute(int32_t device, cudaDeviceAttr which) {
  int value = 0;
  FORGE_TRY_STATUS(check(device, cudaDeviceGetAttribute(&value, which, device), "asking for it"));
  return int64_t{value};
}

Result<DeviceInfo> describe(int32_t index, int32_t driver) {
  cudaDeviceProp properties{};
  FORGE_TRY_STATUS(
      check(index, cudaGetDeviceProperties(&properties, index), "asking for its properties"));
  FORGE_TRY(const int64_t shared_bytes, attribute(index, cudaDevAttrMaxSharedMemoryPerBlockOptin));
  const int32_t capability = properties.major * 10 + properties.minor;
  return DeviceInfo{.index = index,
                    .name = properties.name,
                    .compute_capability = capability,
                    .has_code = has_code_for(capability),
                    .total_bytes = static_cast<int64_t>(properties.totalGlobalMem),
                    .free_bytes = 0,
                    .n_processors = properties.multiProcessorCount,
                    .l2_bytes = properties.l2CacheSize,
                    .shared_bytes = shared_bytes,
                    .driver_version = driver};
}

}  // namespace

Result<std::vector<DeviceInfo>> list_devices() {
  int n_devices = 0;
  if (const cudaError_t error = cudaGetDeviceCount(&n_devices); error != cudaSuccess) {
    return why_none(error);
  }
  if (n_devices == 0) return no_devices();
  int driver = 0;
  (void)cudaDriverGetVersion(&driver);
  std::vector<DeviceInfo> devices;
  for (int32_t i = 0; i < n_devices; ++i) {
    FORGE_TRY(DeviceInfo device, describe(i, driver));
    devices.push_back(std::move(device));
  }
  return devices;
}

Result<DeviceInfo> open_device(int32_t index) {
  FORGE_TRY(const std::vector<DeviceInfo> devices, list_devices());
  FORGE_TRY(DeviceInfo device, pick_device(devices, index, built_for()));
  set_label(index, device_label(index, device.name));
  set_compute_capability(index, device.compute_capability);
  FORGE_TRY_STATUS(use(index));
  cudaFuncAttributes attributes{};
  FORGE_TRY_STATUS(check(index, cudaFuncGetAttributes(&attributes, probe_kernel()),
                         "loading its code, built for " + built_for()));
  FORGE_TRY(device.free_bytes, free_memory(index));
  return device;
}

Result<int64_t> free_memory(int32_t device) {
  FORGE_TRY_STATUS(use(device));
  size_t free = 0;
  size_t total = 0;
  FORGE_TRY_STATUS(check(device, cudaMemGetInfo(&free, &total), "asking for its free memory"));
  return static_cast<int64_t>(free);
}

}  // namespace forge::kernels::cuda
