#include "forge/models/cuda/step_products.h"

#include <algorithm>

namespace forge::models::cuda {

using kernels::cuda::Finish;
using kernels::cuda::Gate;
using kernels::cuda::MatmulTask;

MatmulTask StepProducts::qkv(const DeviceLayer& layer, int32_t i, int32_t n_tokens) const {
  const QkvPart& part = layer.qkv[static_cast<size_t>(i)];
  return {.weight = part.matrix,
          .n_rows = part.n_rows,
          .x = buffers_.x,
          .x_stride = shape_.x,
          .n_tokens = n_tokens,
          .norm = norm_in(),
          .bias = layer.qkv_bias == nullptr ? nullptr : layer.qkv_bias + part.first_row,
          .finish = Finish::kStore,
          .y = buffers_.qkv + part.first_row,
          .y_stride = shape_.qkv};
}

MatmulTask StepProducts::add(const kernels::cuda::PackedMatrix& weight, const float* bias,
                             const void* x, int64_t stride, const float* next_norm,
                             int32_t n_tokens) const {
  return {.weight = weight,
          .n_rows = spec_.hidden_dim,
          .x = x,
          .x_stride = stride,
          .n_tokens = n_tokens,
          .x_is_gated = x == buffers_.mid,
          .bias = bias,
          .finish = Finish::kAdd,
          .y = buffers_.hidden,
          .y_stride = shape_.hidden,
          .next = norm_out(next_norm)};
}

MatmulTask StepProducts::output(const DeviceLayer& layer, int32_t n_tokens) const {
  return add(layer.output, layer.output_bias, buffers_.attended, shape_.attended, layer.ffn_norm,
             n_tokens);
}

MatmulTask StepProducts::gate_up(const DeviceLayer& layer, int32_t n_tokens) const {
  const bool is_silu = spec_.activation == Activation::kSilu;
  return {.weight = layer.gate_up,
          .n_rows = layer.gate_up.rows,
          .x = buffers_.x,
          .x_stride = shape_.x,
          .n_tokens = n_tokens,
          .norm = norm_in(),
          .bias = layer.gate_up_bias,
          .finish = Finish::kGated,
          .gate = is_silu ? Gate::kSilu : Gate::kGeluTanh,
          .y = buffers_.mid,
          .y_stride = shape_.mid};
}

MatmulTask StepProducts::down(size_t layer, int32_t n_tokens) const {
  const bool is_last = layer + 1 == weights_.layers.size();
  const float* next = is_last ? weights_.output_norm : weights_.layers[layer + 1].attn_norm;
  const DeviceLayer& of = weights_.layers[layer];
  return add(of.down, of.down_bias, buffers_.mid, shape_.mid, next, n_tokens);
}

MatmulTask StepProducts::head(int32_t n_tokens) const {
  return {.weight = weights_.head,
          .n_rows = spec_.vocab_size,
          .x = buffers_.x,
          .x_stride = shape_.x,
          .n_tokens = n_tokens,
          .norm = norm_in(),
          .finish = Finish::kLogits,
          .y = buffers_.logits,
          .y_stride = shape_.logits,
          .maxima = buffers_.maxima};
}

std::vector<MatmulTask> StepProducts::all(int32_t n_tokens) const {
  std::vector<MatmulTask> tasks;
  for (size_t i = 0; i < weights_.layers.size(); ++i) {
    const DeviceLayer& layer = weights_.layers[i];
    for (int32_t part = 0; part < layer.n_qkv; ++part) tasks.push_back(qkv(layer, part, n_tokens));
    tasks.push_back(output(layer, n_tokens));
    tasks.push_back(gate_up(layer, n_tokens));
    tasks.push_back(down(i, n_tokens));
  }
  tasks.push_back(head(std::min(n_tokens, shape_.n_logit_rows)));
  return tasks;
}

}  // namespace forge::models::cuda
