// Stages that change logits because of what has been said already, or because the caller wants it.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>

#include "forge/engine/panel_logits.h"
#include "forge/sampling.h"

namespace forge::engine {

/// Which tokens a sequence holds so far, for the penalties. Owned by one sequence.
class TokenHistory {
 public:
  struct Count {
    bool in_prompt = false;
    int32_t generated = 0;
  };

  void add_prompt(std::span<const int32_t> ids) {
    for (const int32_t id : ids) counts_[id].in_prompt = true;
  }
  void add_generated(int32_t id) { ++counts_[id].generated; }
  [[nodiscard]] const std::unordered_map<int32_t, Count>& counts() const { return counts_; }

 private:
  std::unordered_map<int32_t, Count> counts_;
};

/// logit += bias for each entry. The ids have been validated.
void apply_logit_bias(std::span<const LogitBias> biases, PanelLogits& logits);

/// Repetition penalty r over tokens of prompt and output: a positive logit is divided by r, a
/// negative one multiplied (Keskar et al. 2019, arXiv:1909.05858, as Hugging Face and vLLM have
/// it). Then, for tokens generated c > 0 times: logit -= c * frequency_penalty + presence_penalty
/// (OpenAI's formula).
void apply_penalties(const SamplingParams& params, const TokenHistory& history,
                     PanelLogits& logits);

}  // namespace forge::engine
