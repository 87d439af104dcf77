#include "forge/models/device_product_type.h"

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

kernels::cuda::ProductType device_product_type(const Model& model, const BackendOptions& backend) {
  using kernels::cuda::ProductType;
  if (backend.cuda_product_type) return *backend.cuda_product_type;
  return std::ranges::all_of(model.weights.layers, is_f16) ? ProductType::kF16 : ProductType::kBf16;
}

}  // namespace forge::models
