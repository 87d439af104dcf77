#include "forge/engine/penalties.h"

namespace forge::engine {

void apply_logit_bias(std::span<const LogitBias> biases, std::span<float> logits) {
  for (const LogitBias& entry : biases) logits[static_cast<size_t>(entry.id)] += entry.bias;
}

void apply_penalties(const SamplingParams& params, const TokenHistory& history,
                     std::span<float> logits) {
  const bool is_off = params.repetition_penalty == 1.0 && params.presence_penalty == 0.0 &&
                      params.frequency_penalty == 0.0;
  if (is_off) return;
  for (const auto& [id, count] : history.counts()) {
    if (id < 0 || static_cast<size_t>(id) >= logits.size()) continue;
    double logit = logits[static_cast<size_t>(id)];
    logit = logit > 0 ? logit / params.repetition_penalty : logit * params.repetition_penalty;
    if (count.generated > 0) {
      logit -= count.generated * params.frequency_penalty + params.presence_penalty;
    }
    logits[static_cast<size_t>(id)] = static_cast<float>(logit);
  }
}

}  // namespace forge::engine
