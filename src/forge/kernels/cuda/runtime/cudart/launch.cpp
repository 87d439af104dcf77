#include "forge/kernels/cuda/runtime/launch.h"

#include <cuda_runtime_api.h>

#include <cstdlib>
#include <map>
#include <mutex>
#include <utility>

#include "forge/kernels/cuda/runtime/cudart/device_state.h"
#include "forge/kernels/cuda/runtime/cudart/handles.h"

namespace forge::kernels::cuda {
namespace {

/// What a block may have without asking. Reference: CUDA C++ Programming Guide, "Compute
/// Capabilities".
constexpr size_t kDefaultSharedBytes = 48 << 10;

/// Lets a kernel have more shared memory than any kernel may, once for each amount that is more
/// than before.
Status allow_shared(int32_t device, const void* kernel, const LaunchShape& shape) {
  static std::mutex mutex;
  static std::map<std::pair<int32_t, const void*>, size_t> allowed;
  const std::lock_guard lock(mutex);
  size_t& bytes = allowed[{device, kernel}];
  if (shape.shared_bytes <= bytes) return {};
  FORGE_TRY_STATUS(check(device,
                         cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                              static_cast<int>(shape.shared_bytes)),
                         "shared memory of kernel", shape.name));
  bytes = shape.shared_bytes;
  return {};
}

/// A kernel's fault shows where somebody waits, long after. Debug builds, and FORGE_CUDA_SYNC=1,
/// wait for each kernel, so that the error names it.
bool waits_for_each() {
#if defined(NDEBUG)
  static const bool waits = [] {
    const char* value = std::getenv("FORGE_CUDA_SYNC");
    return value != nullptr && std::string_view(value) == "1";
  }();
  return waits;
#else
  return true;
#endif
}

dim3 as_dim3(const Grid& grid) {
  return {static_cast<unsigned>(grid.x), static_cast<unsigned>(grid.y),
          static_cast<unsigned>(grid.z)};
}

}  // namespace

Status launch_kernel(Stream& stream, const LaunchShape& shape, const void* kernel,
                     void** arguments) {
  const Stream::State& state = *stream.state();
  const int32_t device = state.device;
  FORGE_TRY_STATUS(use(device));
  if (shape.shared_bytes > kDefaultSharedBytes) {
    FORGE_TRY_STATUS(allow_shared(device, kernel, shape));
  }
  cudaLaunchAttribute overlap{};
  overlap.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  overlap.val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t config{};
  config.gridDim = as_dim3(shape.grid);
  config.blockDim = {static_cast<unsigned>(shape.n_threads), 1, 1};
  config.dynamicSmemBytes = shape.shared_bytes;
  config.stream = state.stream;
  config.attrs = &overlap;
  config.numAttrs = shape.overlaps && compute_capability_of(device) >= 90 ? 1 : 0;
  FORGE_TRY_STATUS(
      check(device, cudaLaunchKernelExC(&config, kernel, arguments), "kernel", shape.name));
  if (!waits_for_each() || state.is_recording) return {};
  return check(device, cudaStreamSynchronize(state.stream), "kernel", shape.name);
}

}  // namespace forge::kernels::cuda
