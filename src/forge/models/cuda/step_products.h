// The products of a step, as the matmul kernels take them.
#pragma once

#include <cstdint>
#include <vector>

#include "forge/kernels/cuda/matmul/task.h"
#include "forge/models/cuda/decoder_shape.h"
#include "forge/models/cuda/device_weights.h"
#include "forge/models/cuda/step_buffers.h"
#include "forge/models/model_spec.h"

namespace forge::models::cuda {

/// Views of what outlives it.
class StepProducts {
 public:
  StepProducts(const ModelSpec& spec, const DecoderShape& shape, const DeviceWeights& weights,
               const StepBuffers& buffers)
      : spec_(spec), shape_(shape), weights_(weights), buffers_(buffers) {}

  /// Part i < layer.n_qkv of Q, K and V of x.
  [[nodiscard]] kernels::cuda::MatmulTask qkv(const DeviceLayer& layer, int32_t i,
                                              int32_t n_tokens) const;
  /// hidden += W attended, and what the layer's second norm wants.
  [[nodiscard]] kernels::cuda::MatmulTask output(const DeviceLayer& layer, int32_t n_tokens) const;
  [[nodiscard]] kernels::cuda::MatmulTask gate_up(const DeviceLayer& layer, int32_t n_tokens) const;
  /// hidden += W mid, and what the next layer's first norm, or the last one, wants.
  [[nodiscard]] kernels::cuda::MatmulTask down(size_t layer, int32_t n_tokens) const;
  /// Logits of the first n_tokens rows of x.
  [[nodiscard]] kernels::cuda::MatmulTask head(int32_t n_tokens) const;
  /// All of a step with so many tokens; of the head as many as may be wanted.
  [[nodiscard]] std::vector<kernels::cuda::MatmulTask> all(int32_t n_tokens) const;

  /// What the next norm wants; weight is that norm's.
  [[nodiscard]] kernels::cuda::NormOut norm_out(const float* weight) const {
    return {weight, buffers_.x, shape_.x, buffers_.squares};
  }

 private:
  [[nodiscard]] kernels::cuda::NormIn norm_in() const {
    return {buffers_.squares, static_cast<int32_t>(shape_.hidden_tiles), spec_.norm_eps};
  }
  [[nodiscard]] kernels::cuda::MatmulTask add(const kernels::cuda::PackedMatrix& weight,
                                              const float* bias, const void* x, int64_t stride,
                                              const float* next_norm, int32_t n_tokens) const;

  const ModelSpec& spec_;
  const DecoderShape& shape_;
  const DeviceWeights& weights_;
  const StepBuffers& buffers_;
};

}  // namespace forge::models::cuda
