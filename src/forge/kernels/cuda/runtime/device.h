// NVIDIA devices as the rest of Forge sees them: what there is, and one that has been opened.
//
// Three libraries implement this folder: one on the CUDA runtime (linked statically, so that a
// program starts without a driver), one for builds without CUDA, and one for tests, in which
// kernels run on the CPU.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/result.h"

namespace forge::kernels::cuda {

struct DeviceInfo {
  int32_t index = 0;  // of cuda:N
  std::string name;
  int32_t compute_capability = 0;  // 90 for 9.0
  bool has_code = false;           // this binary holds kernels that run on it
  int64_t total_bytes = 0;
  int64_t free_bytes = 0;    // when it was opened; 0 in a list, since asking takes the device up
  int32_t n_processors = 0;  // streaming multiprocessors
  int64_t l2_bytes = 0;
  int64_t shared_bytes = 0;    // the most that a block may have
  int32_t driver_version = 0;  // of the CUDA version that the driver supports: 13000 is 13.0
};

/// Which compute capabilities this binary holds code for: "8.0, 8.6, 9.0; PTX of 12.0". Empty:
/// built without CUDA.
[[nodiscard]] std::string built_for();

/// All devices. Fails where there can be none, with the reason: built without CUDA, no driver, one
/// too old for this binary's runtime. Any thread.
[[nodiscard]] Result<std::vector<DeviceInfo>> list_devices();

/// Makes later operations of any thread on this device possible. Fails, in one line that begins
/// with "cuda:N", where it is not there, its compute capability is not in the binary, or it cannot
/// be used.
[[nodiscard]] Result<DeviceInfo> open_device(int32_t index);

/// Free memory now.
[[nodiscard]] Result<int64_t> free_memory(int32_t device);

}  // namespace forge::kernels::cuda
