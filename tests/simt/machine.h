// The machine that the fake CUDA runtime finds: its settings, what is taken of its devices, and
// which of them are lost. For the fake's own files.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "forge/base/result.h"
#include "tests/simt/fake_cuda.h"
#include "tests/simt/simt.h"

namespace forge::fake_cuda {

/// One lock for everything: host threads take turns, kernels included. It is held while kernels
/// run, and what runs may queue more.
struct Machine {
  std::recursive_mutex mutex;
  Settings settings;
  Counts counts;
  std::map<int32_t, int64_t> used;          // bytes, by device
  std::map<int32_t, std::string> failures;  // by device: what it was lost to
};

/// Made of FORGE_FAKE_CUDA at its first use.
[[nodiscard]] Machine& machine();
using Lock = std::lock_guard<std::recursive_mutex>;

/// "cuda:0 (a fake)"
[[nodiscard]] std::string label_of(int32_t device);
/// Fails where the device is lost, with what it was lost to first.
[[nodiscard]] Status status_of(int32_t device);
[[nodiscard]] int64_t free_bytes(int32_t device);
/// Runs a kernel, unless the device is lost; its fault loses the device.
void run_kernel(int32_t device, const simt::Launch& launch, const std::function<void()>& body);

}  // namespace forge::fake_cuda
