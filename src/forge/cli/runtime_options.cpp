#include "forge/cli/runtime_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>

#include "forge/base/cpu_count.h"
#include "forge/cli/flag_values.h"
#include "forge/cli/report.h"
#include "forge/engine/device_choice.h"
#include "forge/kernels/cuda/attention/kv_type_name.h"

namespace forge::cli {
namespace {

/// "f32, f16, bf16, q4_0, ..."
std::string dtype_names() {
  std::string names;
  for (const DTypeInfo& type : all_dtypes()) {
    if (!names.empty()) names += ", ";
    for (const char c : type.name) names += static_cast<char>(std::tolower(c));
  }
  return names;
}

Status check_isa() {
  FORGE_TRY([[maybe_unused]] const auto level, kernels::cpu::choose_level());
  return {};
}

Status check_dtype(const std::string& dtype, const engine::DeviceWish& wish) {
  if (dtype != "auto" && !kernels::cuda::product_type_from_name(dtype)) {
    return make_error(
        "--dtype {}: expected auto (fast kernels), f32 (everything in f32, slow, for checking), or "
        "on an NVIDIA device bf16, f16 or tf32",
        dtype);
  }
  const bool is_on_cpu =
      wish.kind == engine::DeviceWish::Kind::kCpu || engine::cuda_built_for().empty();
  if (dtype != "auto" && dtype != "f32" && is_on_cpu) {
    return make_error("--dtype {}: for NVIDIA devices; on the CPU expected auto or f32", dtype);
  }
  return {};
}

}  // namespace

void add_runtime_options(CommandLine& line, RuntimeOptions& options) {
  line.app()
      .add_option("--device", options.device,
                  "auto (an NVIDIA device where one can be used, else the CPU), cpu, cuda, cuda:N")
      ->type_name("D")
      ->envname("FORGE_DEVICE")
      ->group("Machine");
  line.app()
      .add_option("--gpu-memory-fraction", options.gpu_memory_fraction,
                  "Most of an NVIDIA device's memory that is taken, what others have included")
      ->type_name("F")
      ->group("Machine");
  line.app()
      .add_flag("--fast-nondeterministic", options.fast_nondeterministic,
                "Let cuBLASLt compute long prompts on an NVIDIA device where it is quicker: the "
                "bits of answers then depend on how prompts are cut into steps")
      ->group("Machine");
  line.app()
      .add_option("--dtype", options.dtype,
                  "Arithmetic: auto (the machine's fast kernels), f32 (slow, for checking; on the "
                  "CPU, or on an NVIDIA device that --device names), bf16, f16 or tf32 (NVIDIA "
                  "devices; auto there: f16 for F16 weights, else bf16)")
      ->type_name("T")
      ->group("Machine");
  line.app()
      .add_option(
          "--kv-dtype", options.kv_dtype,
          "KV cache: auto (bf16), bf16, f16, f32, or int8 (half the memory); on NVIDIA devices "
          "auto (as --dtype), fp8 or int8")
      ->type_name("T")
      ->group("Machine");
  line.app()
      .add_option(
          "--quantize", options.quantize,
          "Convert F32, F16 and BF16 weights to this type while loading: q8_0, q4_k, bf16 ...")
      ->type_name("T")
      ->group("Machine");
  line.app()
      .add_option("--packed-cache", options.packed_cache,
                  "Keep packed weights in this folder, and start from there next time")
      ->type_name("DIR")
      ->always_capture_default(false)
      ->group("Machine");
  line.app()
      .add_option("-t,--threads", options.threads, "0: one per core the process may use")
      ->type_name("N")
      ->group("Machine");
}

Status check(const RuntimeOptions& options) {
  constexpr int32_t kMaxThreads = 1024;
  const Result<engine::DeviceWish> wish = engine::parse_device(options.device);
  if (!wish.ok()) return make_error("--device {}", wish.error().message);
  if (const Status status = engine::check_device(*wish); !status.ok()) {
    return make_error("--device {}: {}", options.device, status.error().message);
  }
  FORGE_TRY_STATUS(check_range("--gpu-memory-fraction", options.gpu_memory_fraction, 0.05, 0.98));
  FORGE_TRY_STATUS(check_dtype(options.dtype, *wish));
  if (options.fast_nondeterministic && wish->kind == engine::DeviceWish::Kind::kCpu) {
    return make_error("--fast-nondeterministic: for NVIDIA devices; leave it away on the CPU");
  }
  if (options.kv_dtype != "auto" && !kernels::cpu::kv_type_from_name(options.kv_dtype) &&
      !kernels::cuda::kv_type_from_name(options.kv_dtype)) {
    return make_error(
        "--kv-dtype {}: expected auto, bf16, f16, f32 or int8; on NVIDIA devices as --dtype, fp8 "
        "or int8",
        options.kv_dtype);
  }
  if (wish->kind == engine::DeviceWish::Kind::kCuda && options.kv_dtype != "auto" &&
      !kernels::cuda::kv_type_from_name(options.kv_dtype)) {
    return make_error("--kv-dtype {}: on NVIDIA devices expected auto, as --dtype, fp8 or int8",
                      options.kv_dtype);
  }
  if (wish->kind == engine::DeviceWish::Kind::kCpu && options.kv_dtype == "fp8") {
    return make_error("--kv-dtype fp8: on the CPU expected auto, bf16, f16, f32 or int8");
  }
  if (!options.quantize.empty() && !dtype_from_name(options.quantize)) {
    return make_error("--quantize {}: expected one of {}", options.quantize, dtype_names());
  }
  if ((options.dtype == "f32" || options.dtype == "tf32") && !options.quantize.empty()) {
    return make_error("--quantize {}: with --dtype {} weights stay as they are; leave one away",
                      options.quantize, options.dtype);
  }
  if (options.dtype == "f32" && options.kv_dtype != "auto" && options.kv_dtype != "f32") {
    return make_error("--kv-dtype {}: with --dtype f32 the cache is f32 too", options.kv_dtype);
  }
  if (options.dtype == "f32" && !options.packed_cache.empty()) {
    return make_error("--packed-cache {}: with --dtype f32 nothing is packed",
                      options.packed_cache);
  }
  FORGE_TRY_STATUS(check_isa());
  if (options.threads < 0 || options.threads > kMaxThreads) {
    return make_error("--threads {}: expected 0 to {}", options.threads, kMaxThreads);
  }
  if (const int usable = usable_cpu_count(); options.threads > usable) {
    note(fmt::format(
        "warning: --threads {}: the process may use {} CPU{} (affinity and cgroup "
        "quota), running {} thread{}",
        options.threads, usable, usable == 1 ? "" : "s", usable, usable == 1 ? "" : "s"));
  }
  return {};
}

bool wants_reference(const RuntimeOptions& options) {
  if (options.dtype != "f32") return false;
  const Result<engine::DeviceWish> wish = engine::parse_device(options.device);
  return !wish.ok() || wish->kind != engine::DeviceWish::Kind::kCuda;
}

models::BackendOptions backend_options(const RuntimeOptions& options) {
  models::BackendOptions backend;
  if (wants_reference(options)) {
    backend.arithmetic = models::Arithmetic::kReference;
  } else {
    backend.cuda_product_type = kernels::cuda::product_type_from_name(options.dtype);
  }
  if (const auto type = kernels::cpu::kv_type_from_name(options.kv_dtype)) backend.kv_type = *type;
  if (const auto type = kernels::cuda::kv_type_from_name(options.kv_dtype)) {
    backend.cuda_kv_type = *type;
  }
  backend.fast_nondeterministic = options.fast_nondeterministic;
  backend.gpu_memory_fraction = options.gpu_memory_fraction;
  backend.quantize = dtype_from_name(options.quantize);
  if (const auto isa = kernels::cpu::choose_level(); isa.ok()) backend.isa = *isa;
  backend.packed_cache = options.packed_cache;
  return backend;
}

int32_t thread_count(const RuntimeOptions& options) {
  // More threads than CPUs only take turns.
  return options.threads > 0 ? std::min(options.threads, usable_cpu_count())
                             : default_thread_count();
}

}  // namespace forge::cli
