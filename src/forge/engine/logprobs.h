// Log-probabilities of tokens, as the model gives them.
#pragma once

#include <cstdint>
#include <span>

#include "forge/request.h"

namespace forge::engine {

/// The log-softmax of the raw logits (before bias, penalties, temperature and truncation, as OpenAI
/// and vLLM report it), summed in double: of the chosen token and of the n most probable ones.
[[nodiscard]] PositionLogprobs logprobs_of(std::span<const float> logits, int32_t chosen,
                                           int32_t n);

/// log sum exp of the logits: logprob(id) = logits[id] - log_sum_exp(logits).
[[nodiscard]] double log_sum_exp(std::span<const float> logits);

}  // namespace forge::engine
