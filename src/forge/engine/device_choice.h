// Where a model runs: what --device, FORGE_DEVICE and EngineOptions::device say, and what comes of
// it on this machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/result.h"
#include "forge/engine/process_memory.h"
#include "forge/models/decoder.h"
#include "forge/models/model.h"

namespace forge::engine {

/// What was asked for.
struct DeviceWish {
  enum class Kind { kAuto, kCpu, kCuda };
  Kind kind = Kind::kAuto;
  int32_t index = 0;  // of kCuda
};

/// "auto", "cpu", "cuda", "cuda:N"; "gpu" is another word for "cuda". Fails with what was expected.
[[nodiscard]] Result<DeviceWish> parse_device(std::string_view text);

/// Fails where the device cannot be had, with the reason: a build without CUDA, no driver or one
/// too old, no device of that number or no code for it. Opens nothing, so it is the first thing to
/// ask.
[[nodiscard]] Status check_device(const DeviceWish& wish);

struct DeviceChoice {
  std::optional<int32_t> cuda = std::nullopt;  // none: the CPU
  /// For people: "cuda:0 (NVIDIA H200)"; for auto with its reason, "cpu (auto: no NVIDIA driver)".
  std::string text = "cpu";
  /// What may be taken of the device; nothing where the limit is not known.
  std::optional<AvailableMemory> memory = std::nullopt;

  /// "cpu", "cuda:0".
  [[nodiscard]] std::string name() const;
};

/// Opens the device that was asked for, or fails. auto takes the first NVIDIA device that can be
/// used and has memory for weights, workspace and one context, and else the CPU; products in
/// 4 bytes (backend.cuda_product_type) are refused there. options: as the decoder will be made, but
/// for where.
[[nodiscard]] Result<DeviceChoice> choose_device(const DeviceWish& wish, const models::Model& model,
                                                 models::DecoderOptions options);

/// Once backend.cuda_device is chosen: on the CPU --fast-nondeterministic does nothing, which
/// on_note is told.
void settle_fast_nondeterministic(models::BackendOptions& backend);

/// The devices of this machine for a list, "cuda:0 (NVIDIA H200), compute capability 9.0, 141 GiB",
/// or why there are none.
[[nodiscard]] Result<std::vector<std::string>> list_cuda_devices();
/// "8.0, 8.6, 9.0; PTX of 12.0"; empty: built without CUDA.
[[nodiscard]] std::string cuda_built_for();

/// Whether the kernel has NVIDIA's driver loaded, whatever this program was built with. root: where
/// /dev and /proc are found.
[[nodiscard]] bool has_nvidia_driver(const std::string& root = "");

}  // namespace forge::engine
