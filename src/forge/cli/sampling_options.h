// The flags that say how tokens are chosen: the same in generate and chat.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "forge/base/result.h"
#include "forge/cli/command_line.h"
#include "forge/sampling.h"

namespace forge::cli {

struct SamplingOptions {
  SamplingParams params{.temperature = 0.8};
  std::optional<uint64_t> seed;
  std::vector<std::string> logit_bias;  // "ID=V"
};

/// --temperature, --top-k, --top-p, --min-p, --typical-p, the penalties, --logit-bias, --seed.
void add_sampling_options(CLI::App& app, SamplingOptions& options, const std::string& seed_text);

/// Reads "ID=V"; the range of either is looked at later, by validate().
[[nodiscard]] Result<LogitBias> parse_logit_bias(const std::string& text);

/// Checks ranges and reads the biases into params; ids are looked at once the model's vocabulary is
/// known.
[[nodiscard]] Status complete(SamplingOptions& options);

}  // namespace forge::cli
