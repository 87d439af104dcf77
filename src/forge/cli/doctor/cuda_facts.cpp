// NVIDIA devices, and what this program can do with them.
#include <cstdlib>

#include "forge/cli/doctor/facts.h"
#include "forge/engine/device_choice.h"
#include "forge/kernels/cuda/runtime/device.h"
#include "forge/kernels/cuda/runtime/device_errors.h"

namespace forge::cli::doctor {
namespace {

namespace cuda = kernels::cuda;

GpuFacts facts_of(const cuda::DeviceInfo& device) {
  GpuFacts facts{.index = device.index,
                 .name = device.name,
                 .capability = cuda::capability_text(device.compute_capability),
                 .total_bytes = device.total_bytes,
                 .free_bytes = std::nullopt,
                 .has_code = device.has_code,
                 .problem = {}};
  if (!device.has_code) return facts;
  const Result<cuda::DeviceInfo> opened = cuda::open_device(device.index);
  if (opened.ok()) {
    facts.free_bytes = opened->free_bytes;
  } else {
    facts.problem = opened.error().message;
  }
  return facts;
}

}  // namespace

CudaFacts cuda_facts() {
  CudaFacts facts;
  facts.built_for = engine::cuda_built_for();
  facts.has_kernel_driver = engine::has_nvidia_driver();
  const Result<std::vector<cuda::DeviceInfo>> devices = cuda::list_devices();
  if (devices.ok()) {
    for (const cuda::DeviceInfo& device : *devices) {
      facts.driver = cuda::version_text(device.driver_version);
      facts.devices.push_back(facts_of(device));
    }
  } else {
    facts.problem = devices.error().message;
  }
  if (const char* wanted = std::getenv("FORGE_DEVICE")) facts.wanted = wanted;
  if (facts.wanted.empty()) return facts;
  const Result<engine::DeviceWish> wish = engine::parse_device(facts.wanted);
  const Status status = wish.ok() ? engine::check_device(*wish) : Status(wish.error());
  if (!status.ok()) facts.wanted_problem = status.error().message;
  return facts;
}

}  // namespace forge::cli::doctor
