#include "forge/models/device_half_type.h"

#include <algorithm>

namespace forge::models {
namespace {

bool is_f16(const LayerWeights& layer) {
  const TensorView* const matrices[] = {&layer.attn_q,      &layer.attn_k,   &layer.attn_v,
                                        &layer.attn_output, &layer.ffn_gate, &layer.ffn_up,
                                        &layer.ffn_down};
  return std::ranges::all_of(matrices,
                             [](const TensorView* view) { return view->dtype == DType::kF16; });
}

}  // namespace

kernels::cuda::HalfType device_half_type(const Model& model, const BackendOptions& backend) {
  using kernels::cuda::HalfType;
  if (backend.cuda_half) return *backend.cuda_half;
  return std::ranges::all_of(model.weights.layers, is_f16) ? HalfType::kF16 : HalfType::kBf16;
}

}  // namespace forge::models
