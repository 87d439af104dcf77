// What a step is to bring: tokens to be chosen, and scores of prompt tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "forge/engine/loop/live_request.h"

namespace forge::engine {

/// A token to be chosen, or that has been.
struct Choosing {
  static constexpr int64_t kNothing = -1;
  static constexpr int32_t kOnHost = -1;

  std::shared_ptr<LiveRequest> request;  // kept alive: it may be cancelled meanwhile
  LiveChoice* choice = nullptr;
  int64_t row = 0;           // of the step's logits; kNothing: the choice ends with its prompt
  int32_t position = 0;      // that the token will have in the choice's tokens
  int32_t sample = kOnHost;  // which of the device's samples it is
  std::optional<Result<int32_t>> result = {};
  PositionLogprobs logprobs = {};
};

/// A prompt token that is to predict the next one.
struct PromptScore {
  LiveRequest* request = nullptr;
  int32_t position = 0;
  int64_t row = 0;      // of the step's logits
  bool is_bad = false;  // what was found there is not a number
};

/// Rows whose hidden states are wanted.
struct PooledRows {
  LiveChoice* choice = nullptr;
  int32_t begin = 0;  // position of the first one
  int32_t n_tokens = 0;
  int64_t first_row = 0;  // of the step
};

/// A step that has been launched. Keeps its memory.
struct StepWork {
  std::vector<Choosing> choosing;
  std::vector<PromptScore> prompt_scores;
  std::vector<PooledRows> pooled;
  bool needs_host = false;  // logits or hidden states: before the next step is planned
  int32_t n_decode_tokens = 0;
  int32_t n_prompt_tokens = 0;
  TimePoint begin = {};

  void clear() {
    choosing.clear();
    prompt_scores.clear();
    pooled.clear();
    needs_host = false;
  }
};

}  // namespace forge::engine
