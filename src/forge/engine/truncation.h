// Stages that remove improbable tokens from a distribution before the draw.
#pragma once

#include <cstdint>
#include <vector>

#include "forge/engine/token_weights.h"

namespace forge::engine {

/// A token that may still be drawn.
struct Candidate {
  int32_t id = 0;
  float logit = 0.0f;   // before the temperature
  float weight = 0.0f;  // see WeightScale
  float log2_weight = 0.0f;
};

/// All stages take and leave candidates in ascending order of their ids, at least one of them.
/// Where two tokens are equally good the one with the lower id stays. Probabilities are those among
/// the candidates that are left, so each stage sees what the one before made of the distribution.
using Candidates = std::vector<Candidate>;

/// Keeps the k largest logits (exactly k where there are that many). Weights are not read.
void keep_top_k(int32_t k, Candidates& candidates);

/// Nucleus: keeps the most probable tokens until their probabilities reach p in sum.
/// Source: Holtzman et al. 2020, arXiv:1904.09751.
void keep_top_p(double p, Candidates& candidates);

/// Keeps tokens at least min_p times as probable as the most probable one.
/// Source: Nguyen et al. 2024, arXiv:2407.01082.
void keep_min_p(double min_p, Candidates& candidates);

/// Locally typical: keeps the tokens whose surprisal is nearest to the distribution's entropy until
/// their probabilities reach p in sum. Source: Meister et al. 2023, arXiv:2202.00666.
void keep_typical(double p, Candidates& candidates);

/// The same for a whole vocabulary whose distribution is given by its sums, of which candidates are
/// some tokens: keeps the most probable ones until their weights reach `wanted` in sum, or says
/// that they do not reach it and leaves them.
[[nodiscard]] bool try_keep_weight(double wanted, Candidates& candidates);

/// Likewise the tokens nearest to mean_log2, the mean of log2_weight. Those that are further from
/// it than `reach` (in bits) do not count.
[[nodiscard]] bool try_keep_nearest(double wanted, double mean_log2, double reach,
                                    Candidates& candidates);

}  // namespace forge::engine
