// What stands behind Decoder: one way of running a step.
#pragma once

#include <span>

#include "forge/base/function_ref.h"
#include "forge/base/result.h"
#include "forge/cache/block_copy.h"
#include "forge/models/decoder.h"
#include "forge/models/stage_times.h"

namespace forge::models {

/// Owns KV cache and workspace. The batch has been checked against the options.
class PipelinedBackend;

class DecoderBackend {
 public:
  virtual ~DecoderBackend() = default;
  /// This, where it is one.
  [[nodiscard]] virtual PipelinedBackend* pipelined() { return nullptr; }
  /// Logits of batch.logit_rows, valid until the next step. Fails where the device does.
  [[nodiscard]] virtual Result<ActivationView> step(const PagedBatch& batch,
                                                    const LayerProbe* probe) = 0;
  /// The largest logit of every 16 of logit row i of the last step; empty where the backend does
  /// not keep them.
  [[nodiscard]] virtual std::span<const float> logit_maxima(int64_t i) const = 0;
  /// Hidden state (hidden_dim) of a row of the last step, after the final norm.
  virtual void final_hidden(int64_t row, std::span<float> out) = 0;
  /// Copies whole blocks of the cache, one after another.
  virtual void copy_blocks(std::span<const cache::BlockCopy> copies) = 0;
  /// Calls body(item, worker) for items 0 .. n - 1 on the step's threads, each item once.
  virtual void for_each(int32_t n, FunctionRef<void(int32_t item, int worker)> body) = 0;
  [[nodiscard]] virtual const StageTimes& stage_times() const = 0;
};

}  // namespace forge::models
