#include "forge/cli/batch_options.h"

#include "forge/cli/flag_values.h"

namespace forge::cli {
namespace {

/// Far more than the requests under way, so that the engine's own limit is never met.
constexpr int32_t kMaxQueue = 1 << 20;

void add_file_options(CLI::App& app, BatchFlags& flags) {
  app.add_option("FILE", flags.input, "Requests, one JSON object a line, as OpenAI's batches")
      ->required()
      ->type_name("FILE")
      ->always_capture_default(false);
  app.add_option("-o,--output", flags.output,
                 "Where answers go, as they are finished; what it has is not done again")
      ->required()
      ->type_name("OUT")
      ->always_capture_default(false);
  app.add_flag("--overwrite", flags.overwrite, "Throw away what OUT has and start anew");
  app.add_flag("-q,--quiet", flags.quiet, "No progress and no summary");
}

}  // namespace

void add_batch_options(CommandLine& line, BatchFlags& flags) {
  add_file_options(line.app(), flags);
  add_model_option(line, flags.model, ModelArgument::kFlag);
  add_loading_options(line, flags.model);
  add_seed_option(
      line.app(), [&flags](uint64_t seed) { flags.seed = seed; },
      "Gives lines without a seed one each, by their custom_id", "0")
      ->group(kApiGroup);
  add_serving_options(line, flags.serving);
  add_runtime_options(line, flags.runtime);
}

Status check(const BatchFlags& flags) {
  FORGE_TRY_STATUS(check(flags.runtime));
  return check(flags.serving);
}

EngineOptions batch_engine_options(const BatchFlags& flags) {
  EngineOptions options = engine_options(flags.serving, flags.runtime);
  options.max_queue = kMaxQueue;
  // Nobody watches the tokens come.
  options.prompt_share = 1.0;
  return options;
}

}  // namespace forge::cli
