#include "forge/cli/model_options.h"

#include <fmt/format.h>

#include <algorithm>

#include "forge/base/cpu_count.h"
#include "forge/cli/report.h"

namespace forge::cli {

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
      .add_option("--dtype", options.dtype, "Arithmetic: auto or f32")
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
    return make_error("--dtype {}: this version computes in f32, expected auto or f32",
                      options.dtype);
  }
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
  note(fmt::format("device cpu{}, {} thread{}",
                   runtime.device == "auto" ? " (auto: this build has no CUDA backend)" : "", n,
                   n == 1 ? "" : "s"));
}

}  // namespace forge::cli
