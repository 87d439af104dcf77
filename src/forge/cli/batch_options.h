// The flags of forge batch.
#pragma once

#include <cstdint>
#include <string>

#include "forge/base/result.h"
#include "forge/cli/command_line.h"
#include "forge/cli/model_options.h"
#include "forge/cli/serving_options.h"
#include "forge/engine.h"

namespace forge::cli {

struct BatchFlags {
  ModelOptions model;
  RuntimeOptions runtime;
  ServingOptions serving;

  std::string input;
  std::string output;
  bool overwrite = false;
  bool quiet = false;

  uint64_t seed = 0;
};

void add_batch_options(CommandLine& line, BatchFlags& flags);

/// What can be said without a model: ranges and contradictions.
[[nodiscard]] Status check(const BatchFlags& flags);

/// What the flags describe; check() has passed.
[[nodiscard]] EngineOptions batch_engine_options(const BatchFlags& flags);

}  // namespace forge::cli
