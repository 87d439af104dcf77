// The flags that serve and batch share: what the engine may take, and how the API answers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "forge/base/result.h"
#include "forge/cli/command_line.h"
#include "forge/cli/runtime_options.h"
#include "forge/engine.h"
#include "forge/models/model_spec.h"
#include "forge/server/api/served.h"

namespace forge::cli {

struct ServingOptions {
  std::vector<std::string> names;
  bool lenient = false;
  bool no_reasoning_split = false;
  std::string pooling = "mean";

  int32_t ctx = 0;
  int64_t kv_cache_tokens = 0;
  int32_t max_concurrent = 0;
  int32_t max_step_tokens = 0;
  bool no_prefix_cache = false;
};

/// Most tokens or requests that a flag may ask for; sums of two fit into 32 bits.
inline constexpr int32_t kMostTokens = (1 << 30) - 1;

/// Groups of the help that a command may add to.
inline constexpr const char* kApiGroup = "API";
inline constexpr const char* kCapacityGroup = "Capacity";

/// --served-model-name, --lenient, --no-reasoning-split, --pooling; --ctx, --kv-cache-tokens,
/// --max-concurrent, --max-step-tokens, --no-prefix-cache.
void add_serving_options(CommandLine& line, ServingOptions& options);

/// What can be said without a model.
[[nodiscard]] Status check(const ServingOptions& options);
/// What the model adds to that: the context, and a cache that holds one.
[[nodiscard]] Status check(const ServingOptions& options, const models::ModelSpec& spec);

/// What the flags describe; check() has passed.
[[nodiscard]] EngineOptions engine_options(const ServingOptions& options,
                                           const RuntimeOptions& runtime);
/// "16 sequences at once, context 512, KV cache of 8192 tokens (bf16)"
[[nodiscard]] std::string capacity_text(const EngineInfo& info);
[[nodiscard]] server::ServedOptions served_options(const ServingOptions& options);

}  // namespace forge::cli
