#include "forge/cli/serving_options.h"

#include <fmt/format.h>

#include "forge/cli/engine_options.h"
#include "forge/cli/flag_values.h"
#include "forge/cli/model_options.h"

namespace forge::cli {
namespace {

void add_api_options(CLI::App& app, ServingOptions& options) {
  several(app.add_option("--served-model-name", options.names,
                         "What the API calls the model (may be given several times)"))
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

Status check(const ServingOptions& options) {
  FORGE_TRY_STATUS(check_range("--ctx", options.ctx, 0, kMostTokens));
  FORGE_TRY_STATUS(check_range("--kv-cache-tokens", options.kv_cache_tokens, 0, kMostTokens));
  FORGE_TRY_STATUS(check_range("--max-concurrent", options.max_concurrent, 0, 65536));
  FORGE_TRY_STATUS(check_range("--max-step-tokens", options.max_step_tokens, 0, 65536));
  if (options.max_step_tokens > 0 && options.max_concurrent > options.max_step_tokens) {
    return make_error("--max-concurrent {}: more than --max-step-tokens {}, one for each",
                      options.max_concurrent, options.max_step_tokens);
  }
  if (options.pooling != "mean" && options.pooling != "last") {
    return make_error("--pooling {}: expected mean or last", options.pooling);
  }
  return {};
}

Status check(const ServingOptions& options, const models::ModelSpec& spec) {
  FORGE_TRY(const int32_t ctx, choose_context(options.ctx, spec));
  if (options.kv_cache_tokens == 0 || options.kv_cache_tokens >= ctx) return {};
  return make_error("--kv-cache-tokens {}: a context of {} does not fit into it: more, or --ctx {}",
                    options.kv_cache_tokens, ctx, options.kv_cache_tokens);
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

std::string capacity_text(const EngineInfo& info) {
  return fmt::format("{} sequences at once, context {}, KV cache of {} tokens ({})",
                     info.max_sequences, info.context_len, info.kv_cache_tokens, info.kv_dtype);
}

server::ServedOptions served_options(const ServingOptions& options) {
  return {.names = options.names,
          .limits = {},
          .is_lenient = options.lenient,
          .splits_reasoning = !options.no_reasoning_split,
          .pooling = options.pooling == "mean" ? Pooling::kMean : Pooling::kLast};
}

}  // namespace forge::cli
