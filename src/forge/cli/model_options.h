// The flags that say which model, and what every subcommand does before it runs one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "forge/base/result.h"
#include "forge/cli/command_line.h"
#include "forge/cli/runtime_options.h"
#include "forge/engine/device_choice.h"
#include "forge/engine/loaded_model.h"
#include "forge/engine/memory_plan.h"

namespace forge::cli {

struct ModelOptions {
  std::string model;  // empty: the default one (find_model)
  bool is_offline = false;
  bool check_weights = false;
  bool allow_unknown_keys = false;
};

/// Whether the model is a flag only (generate) or also the first argument (inspect M).
enum class ModelArgument { kFlag, kPositional };
void add_model_option(CommandLine& line, ModelOptions& options, ModelArgument argument);
/// --check-weights, --allow-unknown-keys.
void add_loading_options(CommandLine& line, ModelOptions& options);
[[nodiscard]] Result<engine::LoadedModel> load(const ModelOptions& options);

/// The context to use: requested, or the model's own where it is 0. Fails above the model's.
[[nodiscard]] Result<int32_t> choose_context(int32_t requested, const models::ModelSpec& spec);

/// Fails where a decoder with these options does not fit into the memory of its device, before it
/// is made.
[[nodiscard]] Status check_memory(const models::Model& model, const models::DecoderOptions& options,
                                  const engine::DeviceChoice& device);

/// Where a decoder with these options runs: decides it, and writes it into the options.
[[nodiscard]] Result<engine::DeviceChoice> choose_device(const RuntimeOptions& runtime,
                                                         const models::Model& model,
                                                         models::DecoderOptions& options);

/// Says on stderr what runs where, a line each: "forge: ...". Names weights that have no fast
/// kernel. device: its name for people (DeviceChoice::text).
void announce(const ModelOptions& options, const engine::LoadedModel& loaded,
              const RuntimeOptions& runtime, std::string_view device);

}  // namespace forge::cli
