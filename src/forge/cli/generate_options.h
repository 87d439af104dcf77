// The flags of forge generate.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "forge/base/result.h"
#include "forge/cli/command_line.h"
#include "forge/cli/model_options.h"
#include "forge/cli/sampling_options.h"

namespace forge::cli {

struct GenerateFlags {
  ModelOptions model;
  RuntimeOptions runtime;

  std::optional<std::string> prompt;
  std::optional<std::string> prompt_file;
  bool chat = false;
  bool raw = false;
  std::optional<std::string> system;

  int32_t max_tokens = 256;
  int32_t ctx = 0;
  std::vector<std::string> stop;
  std::vector<int32_t> stop_ids;
  bool ignore_eos = false;

  SamplingOptions sampling;

  bool echo = false;
  bool json = false;
  bool no_stream = false;
  bool quiet = false;
  std::optional<int32_t> n_logprobs;
  bool prompt_logprobs = false;
};

void add_generate_options(CommandLine& line, GenerateFlags& flags);

/// What can be said about the flags without looking at model or input: contradictions, values out
/// of range. Also fills in what follows from other flags (--logprobs means --json) and the seed.
[[nodiscard]] Status complete(GenerateFlags& flags);

}  // namespace forge::cli
