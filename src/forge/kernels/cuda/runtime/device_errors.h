// How failures of devices are worded: the same words from every library that implements this
// folder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/result.h"
#include "forge/kernels/cuda/runtime/device.h"

namespace forge::kernels::cuda {

/// "cuda:0 (NVIDIA H200)"
[[nodiscard]] std::string device_label(int32_t index, std::string_view name);

/// "9.0" of 90.
[[nodiscard]] std::string capability_text(int32_t compute_capability);
/// "13.0" of 13000, as CUDA counts its versions.
[[nodiscard]] std::string version_text(int32_t version);

/// devices[index], or why it cannot be had: there is none of that number, or no code for it.
/// built_for: of this binary.
[[nodiscard]] Result<DeviceInfo> pick_device(const std::vector<DeviceInfo>& devices, int32_t index,
                                             std::string_view built_for);

/// There is a driver, and no device. Names CUDA_VISIBLE_DEVICES where it is set.
[[nodiscard]] Error no_devices();
[[nodiscard]] Error no_driver(std::string_view why);
/// driver, needed: versions as CUDA counts them.
[[nodiscard]] Error driver_too_old(int32_t driver, int32_t needed);

/// "cuda:0 (NVIDIA H200): out of memory: 15.0 GiB for weights, 3.20 GiB free"
[[nodiscard]] Error out_of_memory(std::string_view label, int64_t bytes, std::string_view what,
                                  int64_t free_bytes);

}  // namespace forge::kernels::cuda
