// From logits to a token.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "forge/base/result.h"
#include "forge/engine/panel_logits.h"
#include "forge/engine/penalties.h"
#include "forge/engine/token_weights.h"
#include "forge/engine/truncation.h"
#include "forge/sampling.h"

namespace forge::engine {

/// Chooses tokens for one sequence. The choice is a pure function of the params (seed included),
/// the position, the logits and the tokens so far: no state is carried from one call to the next.
/// The order of the stages, with reasons, is in docs/sampling.md:
///
///   logit bias -> penalties -> [greedy: argmax] -> temperature -> top-k -> top-p -> min-p ->
///   typical-p
///   -> draw
///
/// Never sorts the vocabulary: a greedy choice looks at the panels' maxima, truncation at the
/// panels that can hold survivors, and only top-p, typical-p and an untruncated draw at all logits,
/// once.
///
/// Owns scratch memory, so one thread at a time.
class Sampler {
 public:
  /// The params have been validated for vocab_size.
  explicit Sampler(SamplingParams params);

  [[nodiscard]] const SamplingParams& params() const { return params_; }

  /// The token for a position (counted from the sequence's first token, prompt included), from
  /// logits (vocab_size) and, where they are known, the maxima of panels of 16 of them (see
  /// PanelLogits::set). The tokens in `excluded` are not chosen. Fails where a logit is not a
  /// number or +infinity, or where every token is excluded (-infinity); the message names the first
  /// such token.
  [[nodiscard]] Result<int32_t> sample(std::span<const float> logits, int64_t position,
                                       const TokenHistory& history,
                                       std::span<const float> panel_maxima = {},
                                       std::span<const int32_t> excluded = {});

 private:
  [[nodiscard]] bool truncates() const;
  void collect_candidates(const WeightScale& scale);
  [[nodiscard]] int32_t draw_candidate(double uniform) const;
  [[nodiscard]] int32_t draw_any(double uniform, const WeightScale& scale);

  SamplingParams params_;
  PanelLogits logits_;
  std::vector<BlockSum> blocks_;
  Candidates candidates_;
};

}  // namespace forge::engine
