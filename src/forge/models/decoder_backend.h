// What stands behind Decoder: one way of running a step.
#pragma once

#include <span>

#include "forge/models/decoder.h"
#include "forge/models/stage_times.h"

namespace forge::models {

/// Owns KV cache and workspace. The batch has been checked against the options.
class DecoderBackend {
 public:
  virtual ~DecoderBackend() = default;
  /// Logits of batch.logit_rows, valid until the next step.
  virtual const ActivationView& step(const PagedBatch& batch, const LayerProbe* probe) = 0;
  /// The largest logit of every 16 of logit row i of the last step; empty where the backend does
  /// not keep them.
  [[nodiscard]] virtual std::span<const float> logit_maxima(int64_t i) const = 0;
  [[nodiscard]] virtual const StageTimes& stage_times() const = 0;
};

}  // namespace forge::models
