// The flags that say which model, where it runs and how much it may take: the same in all
// subcommands.
#pragma once

#include <cstdint>
#include <string>

#include "forge/base/result.h"
#include "forge/cli/command_line.h"
#include "forge/engine/loaded_model.h"
#include "forge/engine/memory_plan.h"

namespace forge::cli {

struct ModelOptions {
  std::string model;  // empty: the bundled model
  bool check_weights = false;
  bool allow_unknown_keys = false;
};

struct RuntimeOptions {
  std::string device = "auto";
  std::string dtype = "auto";
  std::string kv_dtype = "auto";
  std::string quantize = "";  // empty: as the checkpoint has them
  int32_t threads = 0;        // 0: default_thread_count()
};

/// Whether the model is a flag only (generate) or also the first argument (inspect M).
enum class ModelArgument { kFlag, kPositional };
void add_model_option(CommandLine& line, ModelOptions& options, ModelArgument argument);
/// --check-weights, --allow-unknown-keys.
void add_loading_options(CommandLine& line, ModelOptions& options);
/// --device, --dtype, --threads.
void add_runtime_options(CommandLine& line, RuntimeOptions& options);

/// Fails on a device or a dtype this build does not have, and on an impossible number of threads.
/// Warns on stderr where the number is more than the process may use.
[[nodiscard]] Status check(const RuntimeOptions& options);
/// How many threads to run: what was asked for, but no more than the process may use.
/// What the flags and FORGE_ISA say about arithmetic; check() has passed.
[[nodiscard]] models::BackendOptions backend_options(const RuntimeOptions& options);
[[nodiscard]] int32_t thread_count(const RuntimeOptions& options);

[[nodiscard]] Result<engine::LoadedModel> load(const ModelOptions& options);

/// The context to use: requested, or the model's own where it is 0. Fails above the model's.
[[nodiscard]] Result<int32_t> choose_context(int32_t requested, const models::ModelSpec& spec);

/// Fails where a decoder with these options does not fit into memory, before it is made.
[[nodiscard]] Status check_memory(const models::Model& model,
                                  const models::DecoderOptions& options);

/// Says on stderr what runs where: "forge: ...", one or two lines.
void announce(const ModelOptions& options, const engine::LoadedModel& loaded,
              const RuntimeOptions& runtime);

}  // namespace forge::cli
