#include "forge/cli/batch_options.h"

#include "forge/cli/engine_options.h"

namespace forge::cli {
namespace {

constexpr const char* kApi = "API";
constexpr const char* kCapacity = "Capacity";

/// Far more than the requests under way, so that the engine's own limit is never met.
constexpr int32_t kMaxQueue = 1 << 20;

void add_file_options(CLI::App& app, BatchFlags& flags) {
  app.add_option("FILE", flags.input, "Requests, one JSON object a line, as OpenAI's batches")
      ->type_name("FILE")
      ->always_capture_default(false);
  app.add_option("-o,--output", flags.output,
                 "Where answers go, as they are finished; what it has is not done again")
      ->type_name("OUT")
      ->always_capture_default(false);
  app.add_flag("--overwrite", flags.overwrite, "Throw away what OUT has and start anew");
  app.add_flag("-q,--quiet", flags.quiet, "No progress and no summary");
}

void add_api_options(CLI::App& app, BatchFlags& flags) {
  app.add_option("--seed", flags.seed, "Gives lines without a seed one each, by their custom_id")
      ->type_name("N")
      ->group(kApi);
  app.add_option("--served-model-name", flags.names,
                 "What \"model\" in a body may say (may be given several times)")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false)
      ->always_capture_default(false)
      ->type_name("NAME")
      ->group(kApi);
  app.add_flag("--lenient", flags.lenient, "Ignore unknown fields")->group(kApi);
  app.add_flag("--no-reasoning-split", flags.no_reasoning_split,
               "Leave thoughts in content instead of reasoning_content")
      ->group(kApi);
  app.add_option("--pooling", flags.pooling, "How embeddings are made: mean or last")
      ->type_name("P")
      ->group(kApi);
}

void add_capacity_options(CLI::App& app, BatchFlags& flags) {
  app.add_option("--ctx", flags.ctx,
                 "Most tokens of prompt and answer together; 0: the model's context")
      ->type_name("N")
      ->group(kCapacity);
  app.add_option("--kv-cache-tokens", flags.kv_cache_tokens,
                 "Tokens that all requests share; 0: up to half of the memory left")
      ->type_name("N")
      ->group(kCapacity);
  app.add_option("--max-concurrent", flags.max_concurrent,
                 "Sequences that run at once; 0: up to 512, by the size of the vocabulary")
      ->type_name("N")
      ->group(kCapacity);
  app.add_option("--max-step-tokens", flags.max_step_tokens, "Tokens of the largest step; 0: 512")
      ->type_name("N")
      ->group(kCapacity);
  app.add_flag("--no-prefix-cache", flags.no_prefix_cache, "Compute every prompt from its start")
      ->group(kCapacity);
}

Status check_range(std::string_view flag, int64_t value, int64_t high) {
  if (value >= 0 && value <= high) return {};
  return make_error("{} {}: expected 0 to {}", flag, value, high);
}

}  // namespace

void add_batch_options(CommandLine& line, BatchFlags& flags) {
  add_file_options(line.app(), flags);
  add_model_option(line, flags.model, ModelArgument::kFlag);
  add_loading_options(line, flags.model);
  add_api_options(line.app(), flags);
  add_capacity_options(line.app(), flags);
  add_runtime_options(line, flags.runtime);
}

Status check(const BatchFlags& flags) {
  constexpr int64_t kMost = 2147483647;
  FORGE_TRY_STATUS(check(flags.runtime));
  if (flags.input.empty()) return make_error("no FILE of requests");
  if (flags.output.empty()) return make_error("no output: expected -o OUT");
  FORGE_TRY_STATUS(check_range("--ctx", flags.ctx, kMost));
  FORGE_TRY_STATUS(check_range("--kv-cache-tokens", flags.kv_cache_tokens, kMost / 2));
  FORGE_TRY_STATUS(check_range("--max-concurrent", flags.max_concurrent, 65536));
  FORGE_TRY_STATUS(check_range("--max-step-tokens", flags.max_step_tokens, 65536));
  if (flags.pooling != "mean" && flags.pooling != "last") {
    return make_error("--pooling {}: expected mean or last", flags.pooling);
  }
  return {};
}

EngineOptions batch_engine_options(const BatchFlags& flags) {
  EngineOptions options = engine_options(flags.runtime);
  options.context_len = flags.ctx;
  options.kv_cache_tokens = flags.kv_cache_tokens;
  options.max_sequences = flags.max_concurrent;
  options.max_step_tokens = flags.max_step_tokens;
  options.max_queue = kMaxQueue;
  // Nobody watches the tokens come.
  options.prompt_share = 1.0;
  options.prefix_cache = !flags.no_prefix_cache;
  return options;
}

server::ServedOptions batch_served_options(const BatchFlags& flags) {
  return {.names = flags.names,
          .limits = {},
          .is_lenient = flags.lenient,
          .splits_reasoning = !flags.no_reasoning_split,
          .pooling = flags.pooling == "mean" ? Pooling::kMean : Pooling::kLast};
}

}  // namespace forge::cli
