#include "forge/kernels/cuda/runtime/device_errors.h"

#include <cstdlib>

#include "forge/base/format_bytes.h"

namespace forge::kernels::cuda {
namespace {

/// What hides devices, as the end of a sentence.
std::string visibility() {
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  return visible == nullptr ? "" : fmt::format(" (CUDA_VISIBLE_DEVICES is \"{}\")", visible);
}

}  // namespace

std::string device_label(int32_t index, std::string_view name) {
  return fmt::format("cuda:{} ({})", index, name);
}

std::string capability_text(int32_t compute_capability) {
  return fmt::format("{}.{}", compute_capability / 10, compute_capability % 10);
}

std::string version_text(int32_t version) {
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

Result<DeviceInfo> pick_device(const std::vector<DeviceInfo>& devices, int32_t index,
                               std::string_view built_for) {
  const size_t n = devices.size();
  if (index < 0 || index >= static_cast<int32_t>(n)) {
    return make_error("cuda:{}: there {} {} NVIDIA device{}{}", index, n == 1 ? "is" : "are", n,
                      n == 1 ? "" : "s", visibility());
  }
  const DeviceInfo& device = devices[static_cast<size_t>(index)];
  if (!device.has_code) {
    return make_error("{}: its compute capability is {}, this build is for {}",
                      device_label(index, device.name), capability_text(device.compute_capability),
                      built_for);
  }
  return device;
}

Error no_devices() { return make_error("no NVIDIA device{}", visibility()); }

Error no_driver(std::string_view why) {
  return make_error("no NVIDIA driver{}{}", why.empty() ? "" : ": ", why);
}

Error driver_too_old(int32_t driver, int32_t needed) {
  return make_error(
      "the NVIDIA driver is too old: it supports CUDA {}, this build needs CUDA {} or newer",
      version_text(driver), version_text(needed));
}

Error out_of_memory(std::string_view label, int64_t bytes, std::string_view what,
                    int64_t free_bytes) {
  return make_error("{}: out of memory: {} for {}, {} free", label, format_bytes(bytes), what,
                    format_bytes(free_bytes));
}

}  // namespace forge::kernels::cuda
