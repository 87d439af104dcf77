// From logits to a token.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "forge/base/result.h"
#include "forge/engine/penalties.h"
#include "forge/engine/sampling_params.h"
#include "forge/engine/truncation.h"

namespace forge::engine {

/// Chooses tokens for one sequence. The choice is a pure function of the params (seed included),
/// the position, the logits and the tokens so far: no state is carried from one call to the next.
/// The order of the stages, with reasons, is in docs/sampling.md:
///
///   logit bias -> penalties -> [greedy: argmax] -> temperature -> top-k -> top-p -> min-p ->
///   typical-p
///   -> draw
///
/// Owns scratch memory, so one thread at a time.
class Sampler {
 public:
  /// The params have been validated for vocab_size.
  explicit Sampler(SamplingParams params);

  [[nodiscard]] const SamplingParams& params() const { return params_; }

  /// The token for a position (counted from the sequence's first token, prompt included), from
  /// logits (vocab_size). Fails where a logit is not a number or +infinity, or where every token is
  /// excluded
  /// (-infinity); the message names the first such token.
  [[nodiscard]] Result<int32_t> sample(std::span<const float> logits, int64_t position,
                                       const TokenHistory& history);

 private:
  [[nodiscard]] int32_t draw(int64_t position);

  SamplingParams params_;
  std::vector<float> logits_;
  Candidates candidates_;
};

/// Fails where a logit is not a number or +infinity, naming the token.
[[nodiscard]] Status check_logits(std::span<const float> logits);

/// The index of the largest logit, the lowest among equals. logits is not empty.
[[nodiscard]] int32_t argmax(std::span<const float> logits);

}  // namespace forge::engine
