#include "forge/cli/model_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>

#include <algorithm>
#include <cctype>

#include "forge/base/cpu_count.h"
#include "forge/cli/report.h"

namespace forge::cli {
namespace {

std::optional<kernels::cpu::KvType> kv_type_from_name(std::string_view name) {
  using kernels::cpu::KvType;
  if (name == "bf16") return KvType::kBf16;
  if (name == "f16") return KvType::kF16;
  if (name == "f32") return KvType::kF32;
  if (name == "int8") return KvType::kInt8;
  return std::nullopt;
}

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

}  // namespace

void add_model_option(CommandLine& line, ModelOptions& options, ModelArgument argument) {
  const std::string names =
      argument == ModelArgument::kPositional ? "-m,--model,model" : "-m,--model";
  line.app()
      .add_option(names, options.model,
                  "A model's folder (config.json and .safetensors), a .gguf file, or \"bundled\"; "
                  "the bundled model where nothing is given")
      ->type_name("M")
      ->envname("FORGE_MODEL")
      ->always_capture_default(false)
      ->group("Model");
}

void add_loading_options(CommandLine& line, ModelOptions& options) {
  line.app()
      .add_flag("--check-weights", options.check_weights,
                "Read all weights first and refuse NaN and infinity")
      ->group("Model");
  line.app()
      .add_flag("--allow-unknown-keys", options.allow_unknown_keys,
                "Run although the config has keys that Forge does not know")
      ->group("Model");
}

void add_runtime_options(CommandLine& line, RuntimeOptions& options) {
  line.app()
      .add_option("--device", options.device, "auto, cpu or cuda")
      ->type_name("D")
      ->envname("FORGE_DEVICE")
      ->group("Machine");
  line.app()
      .add_option("--dtype", options.dtype,
                  "Arithmetic: auto (the machine's fast kernels) or f32 (slow, for checking)")
      ->type_name("T")
      ->group("Machine");
  line.app()
      .add_option("--kv-dtype", options.kv_dtype,
                  "KV cache: auto (bf16), bf16, f16, f32, or int8 (half the memory)")
      ->type_name("T")
      ->group("Machine");
  line.app()
      .add_option(
          "--quantize", options.quantize,
          "Convert F32, F16 and BF16 weights to this type while loading: q8_0, q4_k, bf16 ...")
      ->type_name("T")
      ->group("Machine");
  line.app()
      .add_option("-t,--threads", options.threads, "0: one per core the process may use")
      ->type_name("N")
      ->group("Machine");
}

Status check(const RuntimeOptions& options) {
  constexpr int32_t kMaxThreads = 1024;
  if (options.device == "cuda") {
    return make_error("--device cuda: this build has no CUDA backend, use --device cpu");
  }
  if (options.device != "auto" && options.device != "cpu") {
    return make_error("--device {}: expected auto, cpu or cuda", options.device);
  }
  if (options.dtype != "auto" && options.dtype != "f32") {
    return make_error(
        "--dtype {}: expected auto (fast kernels) or f32 (everything in f32, slow, for checking)",
        options.dtype);
  }
  if (options.kv_dtype != "auto" && !kv_type_from_name(options.kv_dtype)) {
    return make_error("--kv-dtype {}: expected auto, bf16, f16, f32 or int8", options.kv_dtype);
  }
  if (!options.quantize.empty() && !dtype_from_name(options.quantize)) {
    return make_error("--quantize {}: expected one of {}", options.quantize, dtype_names());
  }
  if (options.dtype == "f32" && !options.quantize.empty()) {
    return make_error("--quantize {}: with --dtype f32 weights stay as they are", options.quantize);
  }
  if (options.dtype == "f32" && options.kv_dtype != "auto" && options.kv_dtype != "f32") {
    return make_error("--kv-dtype {}: with --dtype f32 the cache is f32 too", options.kv_dtype);
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

models::BackendOptions backend_options(const RuntimeOptions& options) {
  models::BackendOptions backend;
  if (options.dtype == "f32") backend.arithmetic = models::Arithmetic::kReference;
  if (const auto type = kv_type_from_name(options.kv_dtype)) backend.kv_type = *type;
  backend.quantize = dtype_from_name(options.quantize);
  if (const auto isa = kernels::cpu::choose_level(); isa.ok()) backend.isa = *isa;
  return backend;
}

int32_t thread_count(const RuntimeOptions& options) {
  // More threads than CPUs only take turns.
  return options.threads > 0 ? std::min(options.threads, usable_cpu_count())
                             : default_thread_count();
}

Result<engine::LoadedModel> load(const ModelOptions& options) {
  FORGE_TRY(const engine::ModelSource source, engine::resolve_model(options.model));
  return engine::load_model(source, {.check_weights = options.check_weights,
                                     .allow_unknown_keys = options.allow_unknown_keys});
}

Result<int32_t> choose_context(int32_t requested, const models::ModelSpec& spec) {
  if (requested == 0) return spec.context_len;
  if (requested > spec.context_len) {
    return make_error("--ctx {}: the model's context is {} tokens", requested, spec.context_len);
  }
  return requested;
}

Status check_memory(const models::Model& model, const models::DecoderOptions& options) {
  const auto available = engine::available_memory();
  if (!available) return {};
  return engine::check_fits(engine::plan_memory(model, options), *available);
}

void announce(const ModelOptions& options, const engine::LoadedModel& loaded,
              const RuntimeOptions& runtime) {
  if (options.model.empty()) {
    note(fmt::format("no --model and no FORGE_MODEL: using the bundled model, {}", loaded.name));
  }
  for (const std::string& text : loaded.spec().notes)
    note(fmt::format("{}: {}", loaded.path, text));
  const int32_t n = thread_count(runtime);
  const models::BackendOptions backend = backend_options(runtime);
  const bool is_fast = backend.arithmetic == models::Arithmetic::kFast;
  note(fmt::format("device cpu{}, {} thread{}, {}",
                   runtime.device == "auto" ? " (auto: this build has no CUDA backend)" : "", n,
                   n == 1 ? "" : "s",
                   is_fast ? fmt::format("{} kernels", kernels::cpu::name(backend.isa))
                           : "reference kernels in f32 (slow)"));
}

}  // namespace forge::cli
