#include "forge/cli/serving_options.h"

#include "forge/cli/engine_options.h"

namespace forge::cli {
namespace {

void add_api_options(CLI::App& app, ServingOptions& options) {
  app.add_option("--served-model-name", options.names,
                 "What the API calls the model (may be given several times)")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false)
      ->always_capture_default(false)
      ->type_name("NAME")
      ->group(kApiGroup);
  app.add_flag("--lenient", options.lenient, "Ignore unknown request fields")->group(kApiGroup);
  app.add_flag("--no-reasoning-split", options.no_reasoning_split,
               "Leave thoughts in content instead of reasoning_content")
      ->group(kApiGroup);
  app.add_option("--pooling", options.pooling, "How embeddings are made: mean or last")
      ->type_name("P")
      ->group(kApiGroup);
}

void add_capacity_options(CLI::App& app, ServingOptions& options) {
  const auto number = [&](const std::string& name, auto& value, const std::string& text) {
    app.add_option(name, value, text)->type_name("N")->group(kCapacityGroup);
  };
  number("--ctx", options.ctx, "Most tokens of prompt and answer together; 0: the model's context");
  number("--kv-cache-tokens", options.kv_cache_tokens,
         "Tokens that all requests share; 0: up to half of the memory left");
  number("--max-concurrent", options.max_concurrent,
         "Sequences that run at once; 0: up to 512, by the size of the vocabulary");
  number("--max-step-tokens", options.max_step_tokens, "Tokens of the largest step; 0: 512");
  app.add_flag("--no-prefix-cache", options.no_prefix_cache, "Compute every prompt from its start")
      ->group(kCapacityGroup);
}

}  // namespace

void add_serving_options(CommandLine& line, ServingOptions& options) {
  add_capacity_options(line.app(), options);
  add_api_options(line.app(), options);
}

Status check_range(std::string_view flag, double value, double low, double high) {
  if (value >= low && value <= high) return {};
  return make_error("{} {}: expected {} to {}", flag, value, low, high);
}

Status check(const ServingOptions& options) {
  constexpr double kMost = 2147483647.0;
  FORGE_TRY_STATUS(check_range("--ctx", options.ctx, 0, kMost));
  FORGE_TRY_STATUS(
      check_range("--kv-cache-tokens", static_cast<double>(options.kv_cache_tokens), 0, kMost / 2));
  FORGE_TRY_STATUS(check_range("--max-concurrent", options.max_concurrent, 0, 65536));
  FORGE_TRY_STATUS(check_range("--max-step-tokens", options.max_step_tokens, 0, 65536));
  if (options.pooling != "mean" && options.pooling != "last") {
    return make_error("--pooling {}: expected mean or last", options.pooling);
  }
  return {};
}

EngineOptions engine_options(const ServingOptions& options, const RuntimeOptions& runtime) {
  EngineOptions engine = engine_options(runtime);
  engine.context_len = options.ctx;
  engine.kv_cache_tokens = options.kv_cache_tokens;
  engine.max_sequences = options.max_concurrent;
  engine.max_step_tokens = options.max_step_tokens;
  engine.prefix_cache = !options.no_prefix_cache;
  return engine;
}

server::ServedOptions served_options(const ServingOptions& options) {
  return {.names = options.names,
          .limits = {},
          .is_lenient = options.lenient,
          .splits_reasoning = !options.no_reasoning_split,
          .pooling = options.pooling == "mean" ? Pooling::kMean : Pooling::kLast};
}

}  // namespace forge::cli
