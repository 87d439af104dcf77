// What is known of each device while the program runs, and the one way in which results of the CUDA
// runtime become a Status.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "forge/base/result.h"

namespace forge::kernels::cuda {

/// Before every operation: fails where the device was lost, else makes it the calling thread's
/// current one.
[[nodiscard]] Status use(int32_t device);

/// What a call returned. what (and name) say what was being done: "kernel", "matmul_few". The first
/// error that a device does not recover from is kept: every later operation fails with it.
[[nodiscard]] Status check(int32_t device, cudaError_t error, std::string_view what,
                           std::string_view name = {});

/// Set by open_device(); "cuda:0" until then.
void set_label(int32_t device, std::string label);
[[nodiscard]] std::string label_of(int32_t device);

/// For launches, which ask often: 90 for 9.0.
void set_compute_capability(int32_t device, int32_t capability);
[[nodiscard]] int32_t compute_capability_of(int32_t device);

}  // namespace forge::kernels::cuda
