// Compiled by nvcc with the options of all kernels, so that the list of what it was compiled for is
// that of every kernel.
#include "forge/kernels/cuda/runtime/cudart/probe.h"

#include "forge/kernels/cuda/runtime/device.h"
#include "forge/kernels/cuda/runtime/device_errors.h"

namespace forge::kernels::cuda {
namespace {

__global__ void probe() {}

// nvcc names every architecture of the compilation: 800, 860, ...
constexpr int32_t kArchitectures[] = {__CUDA_ARCH_LIST__};
constexpr int32_t kPtx = FORGE_CUDA_PTX;  // the newest of them: 120
// cmake/cuda.cmake compiles for 9.0a, whose code runs on nothing else; all 9.x there is are 9.0.
constexpr int32_t kHopper = 90;

}  // namespace

std::string built_for() {
  std::string text;
  for (const int32_t architecture : kArchitectures) {
    text += (text.empty() ? "" : ", ") + capability_text(architecture / 10);
  }
  return text + "; PTX of " + capability_text(kPtx);
}

bool has_code_for(int32_t compute_capability) {
  for (const int32_t architecture : kArchitectures) {
    const int32_t built = architecture / 10;
    if (built == compute_capability) return true;
    const bool is_older = built / 10 == compute_capability / 10 && built < compute_capability;
    if (is_older && built != kHopper) return true;
  }
  return kPtx <= compute_capability;
}

const void* probe_kernel() { return reinterpret_cast<const void*>(&probe); }

}  // namespace forge::kernels::cuda
