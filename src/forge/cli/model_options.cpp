#include "forge/cli/model_options.h"

#include <fmt/format.h>

#include "forge/cli/hub/model_argument.h"
#include "forge/cli/report.h"
#include "forge/engine/bench_cost.h"
#include "forge/kernels/cpu/matmul_path.h"
#include "forge/kernels/cuda/attention/kv_type_name.h"
#include "forge/models/device_product_type.h"

namespace forge::cli {

void add_model_option(CommandLine& line, ModelOptions& options, ModelArgument argument) {
  const std::string names =
      argument == ModelArgument::kPositional ? "-m,--model,model" : "-m,--model";
  line.app()
      .add_option(
          names, options.model,
          "org/name[:quant][@revision] of the Hugging Face Hub, a model's folder (config.json "
          "and .safetensors), a .gguf file, or \"bundled\"; where nothing is given "
          "SmolLM2-135M-Instruct if the cache has it, else the bundled model")
      ->type_name("M")
      ->envname("FORGE_MODEL")
      ->always_capture_default(false)
      ->group("Model");
  line.app()
      .add_flag("--offline", options.is_offline,
                "Take models from the cache only, download nothing")
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

Result<engine::LoadedModel> load(const ModelOptions& options) {
  FORGE_TRY(const engine::ModelSource source, find_model(options.model, options.is_offline));
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

Status check_memory(const models::Model& model, const models::DecoderOptions& options,
                    const engine::DeviceChoice& device) {
  if (!device.memory) return {};
  return engine::check_fits(engine::plan_memory(model, options), *device.memory);
}

Result<engine::DeviceChoice> choose_device(const RuntimeOptions& runtime,
                                           const models::Model& model,
                                           models::DecoderOptions& options) {
  FORGE_TRY(const engine::DeviceWish wish, engine::parse_device(runtime.device));
  FORGE_TRY(engine::DeviceChoice choice, engine::choose_device(wish, model, options));
  const auto product_type = models::device_product_type(model, options.backend);
  const bool is_known =
      choice.cuda ? kernels::cuda::kv_type_from_name(runtime.kv_dtype, product_type).has_value()
                  : kernels::cpu::kv_type_from_name(runtime.kv_dtype).has_value();
  if (runtime.kv_dtype != "auto" && !is_known) {
    const std::string types =
        choice.cuda ? kernels::cuda::kv_type_names(product_type) : "bf16, f16, f32 or int8";
    return make_error("--kv-dtype {}: expected auto, {} on {}", runtime.kv_dtype, types,
                      choice.name());
  }
  options.backend.cuda_device = choice.cuda;
  engine::settle_fast_nondeterministic(options.backend);
  return choice;
}

void announce(const ModelOptions& options, const engine::LoadedModel& loaded,
              const RuntimeOptions& runtime, std::string_view device) {
  if (options.model.empty()) note(default_model_note(loaded.name));
  for (const std::string& text : loaded.spec().notes)
    note(fmt::format("{}: {}", loaded.path, text));
  const models::BackendOptions backend = backend_options(runtime);
  if (!device.starts_with("cpu")) {
    return note(
        fmt::format("device {}, products in {}{}", device,
                    kernels::cuda::name(models::device_product_type(*loaded.model, backend)),
                    backend.fast_nondeterministic ? ", fast-nondeterministic" : ""));
  }
  const int32_t n = thread_count(runtime);
  const bool is_fast = backend.arithmetic == models::Arithmetic::kFast;
  note(fmt::format("device {}, {} thread{}, {}", device, n, n == 1 ? "" : "s",
                   is_fast ? fmt::format("{} kernels", kernels::cpu::name(backend.isa))
                           : "reference kernels in f32 (slow)"));
  if (!is_fast) return;
  for (const DType dtype : engine::step_cost(*loaded.model, backend).dtypes) {
    const kernels::cpu::MatmulPath path = kernels::cpu::matmul_path(backend.isa, dtype);
    if (path.is_fast) continue;
    note(fmt::format("warning: {} weights have no fast kernel at ISA level {}: {} (slow)",
                     info(dtype).name, kernels::cpu::name(backend.isa), path.few_tokens));
  }
}

}  // namespace forge::cli
