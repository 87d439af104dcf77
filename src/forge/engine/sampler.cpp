#include "forge/engine/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "forge/engine/random.h"

namespace forge::engine {

namespace {
constexpr float kInfinity = std::numeric_limits<float>::infinity();
}  // namespace

Status check_logits(std::span<const float> logits) {
  for (size_t id = 0; id < logits.size(); ++id) {
    if (logits[id] < kInfinity) continue;  // false for not-a-number too
    return make_error("the model's logit for token {} is {}: its weights or its input are broken",
                      id, logits[id]);
  }
  return {};
}

int32_t argmax(std::span<const float> logits) {
  return static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

Sampler::Sampler(SamplingParams params) : params_(std::move(params)) {}

Result<int32_t> Sampler::sample(std::span<const float> logits, int64_t position,
                                const TokenHistory& history) {
  FORGE_TRY_STATUS(check_logits(logits));
  logits_.assign(logits.begin(), logits.end());
  apply_logit_bias(params_.logit_bias, logits_);
  apply_penalties(params_, history, logits_);

  const int32_t best = argmax(logits_);
  const float largest = logits_[static_cast<size_t>(best)];
  if (largest == -kInfinity) {
    return make_error("no token can be chosen: all {} logits are -infinity", logits_.size());
  }
  if (largest == kInfinity) {
    return make_error("repetition_penalty {} makes the logit of token {} infinite",
                      params_.repetition_penalty, best);
  }
  if (params_.is_greedy()) return best;

  candidates_.clear();
  for (size_t id = 0; id < logits_.size(); ++id) {
    if (std::isinf(logits_[id])) continue;
    // Dividing the distance to the best keeps the smallest temperatures finite.
    const double distance = static_cast<double>(logits_[id]) - largest;
    candidates_.push_back({static_cast<int32_t>(id), distance / params_.temperature, 0.0});
  }
  if (params_.top_k > 0) keep_top_k(params_.top_k, candidates_);
  compute_weights(candidates_);
  if (params_.top_p < 1.0) keep_top_p(params_.top_p, candidates_);
  if (params_.min_p > 0.0) keep_min_p(params_.min_p, candidates_);
  if (params_.typical_p < 1.0) keep_typical(params_.typical_p, candidates_);
  return draw(position);
}

int32_t Sampler::draw(int64_t position) {
  // By id, so that the draw depends on which tokens are left and not on how they were found.
  const auto by_id = [](const Candidate& a, const Candidate& b) { return a.id < b.id; };
  if (!std::is_sorted(candidates_.begin(), candidates_.end(), by_id)) {
    std::sort(candidates_.begin(), candidates_.end(), by_id);
  }
  double total = 0.0;
  for (const Candidate& candidate : candidates_) total += candidate.weight;
  const double target = uniform_at(params_.seed, static_cast<uint64_t>(position)) * total;
  double sum = 0.0;
  int32_t chosen = -1;
  for (const Candidate& candidate : candidates_) {
    if (candidate.weight == 0.0) continue;
    chosen = candidate.id;
    sum += candidate.weight;
    if (sum > target) break;
  }
  return chosen;
}

}  // namespace forge::engine
