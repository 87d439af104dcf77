// The flags of forge batch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "forge/base/result.h"
#include "forge/cli/command_line.h"
#include "forge/cli/model_options.h"
#include "forge/engine.h"
#include "forge/server/api/served.h"

namespace forge::cli {

struct BatchFlags {
  ModelOptions model;
  RuntimeOptions runtime;

  std::string input;
  std::string output;
  bool overwrite = false;
  bool quiet = false;

  uint64_t seed = 0;
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

void add_batch_options(CommandLine& line, BatchFlags& flags);

/// What can be said without a model: ranges and contradictions.
[[nodiscard]] Status check(const BatchFlags& flags);

/// What the flags describe; check() has passed.
[[nodiscard]] EngineOptions batch_engine_options(const BatchFlags& flags);
[[nodiscard]] server::ServedOptions batch_served_options(const BatchFlags& flags);

}  // namespace forge::cli
