#include "forge/kernels/cuda/runtime/memory.h"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstring>

#include "forge/base/format_bytes.h"
#include "forge/kernels/cuda/runtime/cudart/device_state.h"
#include "forge/kernels/cuda/runtime/device.h"
#include "forge/kernels/cuda/runtime/device_errors.h"

namespace forge::kernels::cuda {
namespace {

size_t size_of(int64_t bytes) { return static_cast<size_t>(std::max<int64_t>(bytes, 1)); }

}  // namespace

Result<DeviceMemory> DeviceMemory::allocate(int32_t device, int64_t bytes, std::string_view what) {
  FORGE_TRY_STATUS(use(device));
  void* data = nullptr;
  const cudaError_t error = cudaMalloc(&data, size_of(bytes));
  if (error == cudaErrorMemoryAllocation) {
    (void)cudaGetLastError();
    FORGE_TRY(const int64_t free, free_memory(device));
    return out_of_memory(label_of(device), bytes, what, free);
  }
  FORGE_TRY_STATUS(check(device, error, "allocating", what));
  DeviceMemory memory;
  memory.data_ = {static_cast<std::byte*>(data), Free{device}};
  memory.bytes_ = bytes;
  return memory;
}

// What fails here has failed, and been told of, before.
void DeviceMemory::Free::operator()(std::byte* data) const {
  if (use(device).ok()) (void)cudaFree(data);
}

Result<PinnedMemory> PinnedMemory::allocate(int32_t device, int64_t bytes, std::string_view what) {
  FORGE_TRY_STATUS(use(device));
  void* data = nullptr;
  const cudaError_t error =
      cudaHostAlloc(&data, size_of(bytes), cudaHostAllocPortable | cudaHostAllocMapped);
  if (error == cudaErrorMemoryAllocation) {
    (void)cudaGetLastError();
    return make_error("{}: no pinned memory of the host: {} for {}", label_of(device),
                      format_bytes(bytes), what);
  }
  FORGE_TRY_STATUS(check(device, error, "allocating pinned memory for", what));
  std::memset(data, 0, size_of(bytes));
  PinnedMemory memory;
  memory.data_ = {static_cast<std::byte*>(data), Free{device}};
  memory.bytes_ = bytes;
  return memory;
}

void PinnedMemory::Free::operator()(std::byte* data) const {
  if (use(device).ok()) (void)cudaFreeHost(data);
}

}  // namespace forge::kernels::cuda
