#include "forge/engine/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "forge/engine/candidates.h"
#include "forge/engine/random.h"

namespace forge::engine {

namespace {
constexpr float kInfinity = std::numeric_limits<float>::infinity();
}  // namespace

Sampler::Sampler(SamplingParams params) : params_(std::move(params)) {}

Result<int32_t> Sampler::sample(std::span<const float> logits, int64_t position,
                                const TokenHistory& history, std::span<const float> panel_maxima,
                                std::span<const int32_t> excluded) {
  FORGE_TRY_STATUS(logits_.set(logits, panel_maxima));
  apply_logit_bias(params_.logit_bias, logits_);
  apply_penalties(params_, history, logits_);
  for (const int32_t id : excluded) logits_.change(id, -kInfinity);
  logits_.apply_changes();

  const int32_t best = logits_.argmax();
  const float largest = logits_.at(best);
  if (largest == -kInfinity) {
    return make_error("no token can be chosen: all {} logits are -infinity", logits_.size());
  }
  if (largest == kInfinity) {
    return make_error("repetition_penalty {} makes the logit of token {} infinite",
                      params_.repetition_penalty, best);
  }
  if (params_.is_greedy()) return best;

  const WeightScale scale(largest, params_.temperature);
  const double uniform = uniform_at(params_.seed, static_cast<uint64_t>(position));
  if (!truncates()) return draw_any(uniform, scale);
  collect_candidates(scale);
  return draw_candidate(uniform);
}

bool Sampler::truncates() const {
  return (params_.top_k > 0 && params_.top_k < logits_.size()) || params_.top_p < 1.0 ||
         params_.min_p > 0.0 || params_.typical_p < 1.0;
}

void Sampler::collect_candidates(const WeightScale& scale) {
  // The first stage goes over the vocabulary, the others over what it has left.
  enum class Stage { kTopK, kTopP, kMinP, kTypical };
  const bool cuts[] = {params_.top_k > 0 && params_.top_k < logits_.size(),
                       params_.top_p<1.0, params_.min_p> 0.0, params_.typical_p < 1.0};
  const auto first = static_cast<Stage>(std::find(cuts, std::end(cuts), true) - cuts);
  switch (first) {
    case Stage::kTopK:
      collect_top_k(params_.top_k, logits_, scale, candidates_);
      break;
    case Stage::kTopP:
      collect_top_p(params_.top_p, logits_, scale, blocks_, candidates_);
      break;
    case Stage::kMinP:
      collect_min_p(params_.min_p, logits_, scale, candidates_);
      break;
    case Stage::kTypical:
      collect_typical(params_.typical_p, logits_, scale, blocks_, candidates_);
      break;
  }
  if (cuts[1] && first < Stage::kTopP) keep_top_p(params_.top_p, candidates_);
  if (cuts[2] && first < Stage::kMinP) keep_min_p(params_.min_p, candidates_);
  if (cuts[3] && first < Stage::kTypical) keep_typical(params_.typical_p, candidates_);
}

int32_t Sampler::draw_candidate(double uniform) const {
  double total = 0.0;
  for (const Candidate& candidate : candidates_) total += static_cast<double>(candidate.weight);
  const double target = uniform * total;
  double sum = 0.0;
  int32_t chosen = -1;
  for (const Candidate& candidate : candidates_) {
    if (candidate.weight == 0.0f) continue;
    chosen = candidate.id;
    sum += static_cast<double>(candidate.weight);
    if (sum > target) break;
  }
  return chosen;
}

int32_t Sampler::draw_any(double uniform, const WeightScale& scale) {
  weigh_panels(logits_, scale, Sums::kWeight, blocks_);
  double total = 0.0;
  for (const BlockSum& block : blocks_) total += block.weight;
  const double target = uniform * total;
  // The block that the target falls into, then the token in it. Where rounding lets the tokens of
  // the block end before the target, the last one of them is taken.
  double sum = 0.0;
  size_t chosen_block = 0;
  for (size_t b = 0; b < blocks_.size(); ++b) {
    if (blocks_[b].weight == 0.0) continue;
    chosen_block = b;
    if (sum + blocks_[b].weight > target) break;
    sum += blocks_[b].weight;
  }
  int32_t chosen = -1;
  const auto first = static_cast<int32_t>(chosen_block * kBlockPanels);
  for (int32_t p = first; p < std::min(first + kBlockPanels, logits_.n_panels()); ++p) {
    for (int i = 0; i < kPanelLen; ++i) {
      const float weight = weight_of(logits_.panel(p)[i], scale).weight;
      if (weight == 0.0f) continue;
      chosen = p * kPanelLen + i;
      sum += static_cast<double>(weight);
      if (sum > target) return chosen;
    }
  }
  return chosen;
}

}  // namespace forge::engine
