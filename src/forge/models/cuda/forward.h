// The kernels of a step, in order.
#pragma once

#include <cstdint>

#include "forge/base/function_ref.h"
#include "forge/base/result.h"
#include "forge/kernels/cuda/runtime/device.h"
#include "forge/kernels/cuda/runtime/stream.h"
#include "forge/models/cuda/decoder_shape.h"
#include "forge/models/cuda/device_weights.h"
#include "forge/models/cuda/step_buffers.h"
#include "forge/models/stage_times.h"

namespace forge::models::cuda {

/// What the launches of a step depend on; everything else is read by kernels from StepInputs.
/// Bounds may be larger than the step: rows beyond it have a negative position, sequences beyond it
/// no rows.
struct StepBounds {
  int32_t n_tokens = 0;
  int32_t n_logit_rows = 0;
  int32_t n_decodes = 0;  // sequences of one row each: they come first
  int32_t n_prompts = 0;  // sequences of several rows, after them
  int32_t max_prompt_rows = 0;
  int32_t max_kv_len = 0;
  bool has_all_logits = false;  // row i of the logits is row i of the step

  friend bool operator==(const StepBounds&, const StepBounds&) = default;
  friend auto operator<=>(const StepBounds&, const StepBounds&) = default;
};

/// Between which stages the caller wants to know: after the embedding (layer -1), after each layer.
using AfterLayer = FunctionRef<Status(int32_t layer)>;
/// The stage that is queued next.
using BeforeStage = FunctionRef<Status(StageTimes::Stage stage)>;

class LibraryProducts;

/// Everything that a step needs and nothing that changes between steps.
class Forward {
 public:
  Forward(const ModelSpec& spec, const DecoderShape& shape, const DeviceWeights& weights,
          const kernels::cuda::DeviceInfo& device, const StepInputs& inputs,
          const StepBuffers& buffers, std::byte* kv, kernels::cuda::KvType kv_type,
          const int32_t* chosen, LibraryProducts* library);

  /// Queues the step up to its logits.
  [[nodiscard]] Status queue(kernels::cuda::Stream& stream, const StepBounds& bounds,
                             BeforeStage before_stage, AfterLayer after_layer) const;

 private:
  struct Step;  // one call of queue()

  const ModelSpec& spec_;
  const DecoderShape& shape_;
  const DeviceWeights& weights_;
  const kernels::cuda::DeviceInfo device_;
  const StepInputs inputs_;
  const StepBuffers buffers_;
  std::byte* const kv_;
  const kernels::cuda::KvType kv_type_;
  const int32_t* const chosen_;     // (slots): the token chosen last for each
  LibraryProducts* const library_;  // of prompts; none: as everything else
};

}  // namespace forge::models::cuda
