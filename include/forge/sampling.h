// How the next token is chosen: one request's settings. docs/sampling.md explains each and their
// order.
#pragma once

#include <cstdint>
#include <vector>

#include "forge/result.h"

namespace forge {

/// Added to one token's logit before anything else.
struct LogitBias {
  int32_t id = 0;
  float bias = 0.0f;
};

/// Names, meanings and ranges are those of the OpenAI API, and of Hugging Face generate() for what
/// OpenAI lacks. The defaults change nothing: a draw from the model's own distribution.
struct SamplingParams {
  double temperature = 1.0;  // >= 0; 0 is greedy: the largest logit, the lowest id among equals
  int32_t top_k = 0;         // >= 0; 0 is off
  double top_p = 1.0;        // [0, 1]; 1 is off; 0 leaves the most probable token
  double min_p = 0.0;        // [0, 1]; 0 is off
  double typical_p = 1.0;    // (0, 1]; 1 is off
  double repetition_penalty = 1.0;         // > 0; 1 is off; prompt and generated tokens
  double presence_penalty = 0.0;           // [-2, 2]; 0 is off; generated tokens
  double frequency_penalty = 0.0;          // [-2, 2]; 0 is off; generated tokens
  std::vector<LogitBias> logit_bias = {};  // each bias in [-100, 100], each id at most once
  uint64_t seed = 0;

  [[nodiscard]] bool is_greedy() const { return temperature == 0.0; }
  [[nodiscard]] bool uses_penalties() const {
    return repetition_penalty != 1.0 || presence_penalty != 0.0 || frequency_penalty != 0.0;
  }
};

/// The first setting out of its range (not-a-number always is), by name, with value and range.
[[nodiscard]] Status validate(const SamplingParams& params, int32_t vocab_size);

}  // namespace forge
