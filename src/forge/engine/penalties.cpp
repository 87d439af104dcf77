#include "forge/engine/penalties.h"

namespace forge::engine {

void apply_logit_bias(std::span<const LogitBias> biases, PanelLogits& logits) {
  for (const LogitBias& entry : biases) logits.change(entry.id, logits.at(entry.id) + entry.bias);
}

void apply_penalties(const SamplingParams& params, const TokenHistory& history,
                     PanelLogits& logits) {
  if (!params.uses_penalties()) return;
  for (const auto& [id, count] : history.counts()) {
    if (id < 0 || id >= logits.size()) continue;
    double logit = logits.at(id);
    logit = logit > 0 ? logit / params.repetition_penalty : logit * params.repetition_penalty;
    if (count.generated > 0) {
      logit -= count.generated * params.frequency_penalty + params.presence_penalty;
    }
    logits.change(id, static_cast<float>(logit));
  }
}

}  // namespace forge::engine
