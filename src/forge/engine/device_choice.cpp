#include "forge/engine/device_choice.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "forge/base/format_bytes.h"
#include "forge/kernels/cuda/runtime/device.h"
#include "forge/kernels/cuda/runtime/device_errors.h"
#include "forge/models/decoder_memory.h"

namespace forge::engine {
namespace {

namespace cuda = kernels::cuda;

/// What may be taken of a device that is open.
AvailableMemory memory_of(const cuda::DeviceInfo& device, double fraction) {
  const auto most = static_cast<int64_t>(static_cast<double>(device.total_bytes) * fraction);
  const int64_t taken = device.total_bytes - device.free_bytes;
  return {std::max<int64_t>(most - taken, 0),
          fmt::format("{} with --gpu-memory-fraction {}",
                      cuda::device_label(device.index, device.name), fraction)};
}

/// Fails where the least that a decoder takes is more than may be taken of the device.
Status check_room(const cuda::DeviceInfo& device, const models::Model& model,
                  models::DecoderOptions options) {
  options.backend.cuda_device = device.index;
  options.n_cache_blocks = 0;
  const int64_t context =
      options.max_sequence_len > 0 ? options.max_sequence_len : model.spec.context_len;
  const int64_t weights = models::packed_weight_bytes(model, options);
  const int64_t rest = models::workspace_bytes(model, options) +
                       models::kv_bytes_per_token(model.spec, options) * context;
  const AvailableMemory memory = memory_of(device, options.backend.gpu_memory_fraction);
  if (weights + rest <= memory.bytes) return {};
  return make_error("{}: not enough memory: weights {} + {} for a context of {} tokens, {} left",
                    memory.limit, format_bytes(weights), format_bytes(rest), context,
                    format_bytes(memory.bytes));
}

Result<cuda::DeviceInfo> open_with_room(int32_t index, const models::Model& model,
                                        const models::DecoderOptions& options) {
  FORGE_TRY(cuda::DeviceInfo device, cuda::open_device(index));
  FORGE_TRY_STATUS(check_room(device, model, options));
  return device;
}

DeviceChoice cpu_because(std::string_view why) {
  return {.text = fmt::format("cpu (auto: {})", why), .memory = available_memory()};
}

DeviceChoice choose_automatically(const models::Model& model,
                                  const models::DecoderOptions& options) {
  if (options.backend.arithmetic == models::Arithmetic::kReference) {
    return cpu_because("the reference arithmetic is the CPU's");
  }
  if (cuda::built_for().empty()) {
    return cpu_because(has_nvidia_driver()
                           ? "this machine has an NVIDIA device, this build has no CUDA"
                           : "this build has no CUDA");
  }
  const Result<std::vector<cuda::DeviceInfo>> devices = cuda::list_devices();
  if (!devices.ok()) return cpu_because(devices.error().message);
  std::string why;
  for (const cuda::DeviceInfo& listed : *devices) {
    const Result<cuda::DeviceInfo> device = open_with_room(listed.index, model, options);
    if (device.ok()) {
      return {.cuda = device->index,
              .text = fmt::format("cuda:{} ({}, auto)", device->index, device->name),
              .memory = memory_of(*device, options.backend.gpu_memory_fraction)};
    }
    why += (why.empty() ? "" : "; ") + device.error().message;
  }
  return cpu_because(why);
}

Result<DeviceChoice> choose(const DeviceWish& wish, const models::Model& model,
                            const models::DecoderOptions& options) {
  if (wish.kind == DeviceWish::Kind::kCpu) return DeviceChoice{.memory = available_memory()};
  if (wish.kind == DeviceWish::Kind::kAuto) return choose_automatically(model, options);
  if (options.backend.arithmetic == models::Arithmetic::kReference) {
    return make_error("cuda:{}: the reference arithmetic is the CPU's", wish.index);
  }
  FORGE_TRY(const cuda::DeviceInfo device, open_with_room(wish.index, model, options));
  return DeviceChoice{.cuda = device.index,
                      .text = cuda::device_label(device.index, device.name),
                      .memory = memory_of(device, options.backend.gpu_memory_fraction)};
}

}  // namespace

Result<DeviceWish> parse_device(std::string_view text) {
  if (text == "auto") return DeviceWish{DeviceWish::Kind::kAuto, 0};
  if (text == "cpu") return DeviceWish{DeviceWish::Kind::kCpu, 0};
  const Error error = make_error("{}: expected auto, cpu, cuda or cuda:N", text);
  const std::string_view kind = text.substr(0, text.find(':'));
  if (kind != "cuda" && kind != "gpu") return error;
  DeviceWish wish{DeviceWish::Kind::kCuda, 0};
  if (text.size() == kind.size()) return wish;
  const std::string_view number = text.substr(kind.size() + 1);
  const char* const end = number.data() + number.size();
  const auto [read_to, problem] = std::from_chars(number.data(), end, wish.index);
  if (problem != std::errc() || read_to != end || wish.index < 0) return error;
  return wish;
}

Status check_device(const DeviceWish& wish) {
  if (wish.kind != DeviceWish::Kind::kCuda) return {};
  FORGE_TRY(const std::vector<cuda::DeviceInfo> devices, cuda::list_devices());
  FORGE_TRY([[maybe_unused]] const cuda::DeviceInfo device,
            cuda::pick_device(devices, wish.index, cuda::built_for()));
  return {};
}

std::string DeviceChoice::name() const { return cuda ? fmt::format("cuda:{}", *cuda) : "cpu"; }

Result<DeviceChoice> choose_device(const DeviceWish& wish, const models::Model& model,
                                   models::DecoderOptions options) {
  FORGE_TRY(DeviceChoice choice, choose(wish, model, options));
  // The CPU goes by the weights; who asks for more bits than theirs must not get less.
  const std::optional<cuda::ProductType> products = options.backend.cuda_product_type;
  if (!choice.cuda && products && cuda::element_bytes(*products) == 4) {
    return make_error("products in {} are for NVIDIA devices, and this is device {}",
                      cuda::name(*products), choice.text);
  }
  return choice;
}

void settle_fast_nondeterministic(models::BackendOptions& backend) {
  if (backend.cuda_device || !backend.fast_nondeterministic) return;
  backend.fast_nondeterministic = false;
  if (backend.on_note) backend.on_note("--fast-nondeterministic does nothing on the CPU");
}

Result<std::vector<std::string>> list_cuda_devices() {
  FORGE_TRY(const std::vector<cuda::DeviceInfo> devices, cuda::list_devices());
  std::vector<std::string> texts;
  for (const cuda::DeviceInfo& device : devices) {
    texts.push_back(fmt::format(
        "{}, compute capability {}, {}{}", cuda::device_label(device.index, device.name),
        cuda::capability_text(device.compute_capability), format_bytes(device.total_bytes),
        device.has_code ? "" : ": no code for it in this build"));
  }
  return texts;
}

std::string cuda_built_for() { return cuda::built_for(); }

bool has_nvidia_driver(const std::string& root) {
  std::error_code unknown;
  return std::filesystem::exists(root + "/proc/driver/nvidia/version", unknown) ||
         std::filesystem::exists(root + "/dev/nvidia0", unknown);
}

}  // namespace forge::engine
