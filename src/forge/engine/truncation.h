// Stages that remove improbable tokens from a distribution before the draw.
#pragma once

#include <cstdint>
#include <vector>

namespace forge::engine {

/// A token that may still be drawn. weight is proportional to its probability: exp(logit - max), so
/// the most probable token has weight 1 and weights never overflow.
struct Candidate {
  int32_t id = 0;
  double logit = 0.0;  // already divided by the temperature
  double weight = 0.0;
};

/// All stages take candidates in any order and leave the survivors in any order, at least one of
/// them. Where two tokens are equally good the one with the lower id stays. Probabilities are those
/// among the candidates that are left, so each stage sees what the one before made of the
/// distribution.
using Candidates = std::vector<Candidate>;

/// Keeps the k largest logits (exactly k where there are that many). Weights are not read.
void keep_top_k(int32_t k, Candidates& candidates);

/// Fills in the weights.
void compute_weights(Candidates& candidates);

/// Nucleus: keeps the most probable tokens until their probabilities reach p in sum.
/// Source: Holtzman et al. 2020, arXiv:1904.09751.
void keep_top_p(double p, Candidates& candidates);

/// Keeps tokens at least min_p times as probable as the most probable one.
/// Source: Nguyen et al. 2024, arXiv:2407.01082.
void keep_min_p(double min_p, Candidates& candidates);

/// Locally typical: keeps the tokens whose surprisal is nearest to the distribution's entropy until
/// their probabilities reach p in sum. Source: Meister et al. 2023, arXiv:2202.00666.
void keep_typical(double p, Candidates& candidates);

}  // namespace forge::engine
