#include <cstring>

#include "forge/kernels/cuda/runtime/device.h"
#include "forge/kernels/cuda/runtime/device_errors.h"
#include "forge/kernels/cuda/runtime/memory.h"
#include "forge/kernels/cuda/runtime/range.h"
#include "tests/simt/machine.h"

namespace forge::kernels::cuda {
namespace {

using fake_cuda::Lock;
using fake_cuda::machine;

/// As CUDA 13.0's.
constexpr int32_t kRuntimeVersion = 13000;
constexpr size_t kAlignment = 256;

size_t rounded_up(int64_t bytes) {
  return (static_cast<size_t>(std::max<int64_t>(bytes, 1)) + kAlignment - 1) / kAlignment *
         kAlignment;
}

}  // namespace

std::string built_for() { return "8.0; PTX of 8.0"; }

Result<std::vector<DeviceInfo>> list_devices() {
  const Lock lock(machine().mutex);
  const fake_cuda::Settings& settings = machine().settings;
  if (!settings.no_driver.empty()) return no_driver(settings.no_driver);
  if (settings.driver_version < kRuntimeVersion) {
    return driver_too_old(settings.driver_version, kRuntimeVersion);
  }
  if (settings.n_devices == 0) return no_devices();
  std::vector<DeviceInfo> devices;
  for (int32_t i = 0; i < settings.n_devices; ++i) {
    devices.push_back({.index = i,
                       .name = "a fake",
                       .compute_capability = settings.compute_capability,
                       .has_code = settings.compute_capability >= 80,
                       .total_bytes = settings.total_bytes,
                       .free_bytes = 0,
                       .n_processors = 4,
                       .l2_bytes = 1 << 20,
                       .shared_bytes = 227 * 1024,
                       .driver_version = settings.driver_version});
  }
  return devices;
}

Result<DeviceInfo> open_device(int32_t index) {
  FORGE_TRY(const std::vector<DeviceInfo> devices, list_devices());
  FORGE_TRY(DeviceInfo device, pick_device(devices, index, built_for()));
  FORGE_TRY(device.free_bytes, free_memory(index));
  return device;
}

Result<int64_t> free_memory(int32_t device) {
  const Lock lock(machine().mutex);
  FORGE_TRY_STATUS(fake_cuda::status_of(device));
  return fake_cuda::free_bytes(device);
}

Result<DeviceMemory> DeviceMemory::allocate(int32_t device, int64_t bytes, std::string_view what) {
  const Lock lock(machine().mutex);
  FORGE_TRY_STATUS(fake_cuda::status_of(device));
  const int64_t free = fake_cuda::free_bytes(device);
  if (bytes > free) return out_of_memory(fake_cuda::label_of(device), bytes, what, free);
  const size_t size = rounded_up(bytes);
  // A header remembers the size for Free.
  auto* whole = static_cast<std::byte*>(std::aligned_alloc(kAlignment, size + kAlignment));
  std::memcpy(whole, &size, sizeof(size));
  std::memset(whole + kAlignment, 0xFF, size);
  machine().used[device] += static_cast<int64_t>(size);
  machine().counts.bytes_in_use += static_cast<int64_t>(size);
  ++machine().counts.n_allocations;
  DeviceMemory memory;
  memory.data_ = {whole + kAlignment, Free{device}};
  memory.bytes_ = bytes;
  return memory;
}

void DeviceMemory::Free::operator()(std::byte* data) const {
  const Lock lock(machine().mutex);
  size_t size = 0;
  std::memcpy(&size, data - kAlignment, sizeof(size));
  machine().used[device] -= static_cast<int64_t>(size);
  machine().counts.bytes_in_use -= static_cast<int64_t>(size);
  std::free(data - kAlignment);
}

Result<PinnedMemory> PinnedMemory::allocate(int32_t device, int64_t bytes, std::string_view) {
  const Lock lock(machine().mutex);
  FORGE_TRY_STATUS(fake_cuda::status_of(device));
  auto* data = static_cast<std::byte*>(std::aligned_alloc(kAlignment, rounded_up(bytes)));
  std::memset(data, 0, rounded_up(bytes));
  PinnedMemory memory;
  memory.data_ = {data, Free{device}};
  memory.bytes_ = bytes;
  return memory;
}

void PinnedMemory::Free::operator()(std::byte* data) const { std::free(data); }

Range::Range(const char*) {}
Range::~Range() {}

}  // namespace forge::kernels::cuda
