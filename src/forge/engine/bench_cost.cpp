#include "forge/engine/bench_cost.h"

#include <algorithm>
#include <array>
#include <optional>

#include "forge/models/cpu/weight_type.h"

namespace forge::engine {
namespace {

ProductKind product_of(DType dtype) {
  switch (dtype) {
    case DType::kF32:
    case DType::kF16:
      return ProductKind::kF32;
    case DType::kBF16:
      return ProductKind::kBf16;
    default:
      return ProductKind::kInt8;
  }
}

/// Tokens in sight, the mean over the layers of whose windows some are shorter.
double tokens_in_sight(const models::ModelSpec& spec, double n_tokens) {
  double sum = 0.0;
  for (const int32_t window : spec.sliding_window) {
    sum += window > 0 ? std::min<double>(n_tokens, window) : n_tokens;
  }
  return sum / static_cast<double>(spec.sliding_window.size());
}

}  // namespace

StepCost step_cost(const models::Model& model, const models::BackendOptions& backend) {
  const bool is_fast = backend.arithmetic == models::Arithmetic::kFast;
  const bool in_four_bytes =
      backend.cuda_product_type && kernels::cuda::element_bytes(*backend.cuda_product_type) == 4;
  const auto stored = [&](const TensorView& view) {
    if (in_four_bytes) return TensorView{DType::kF32, view.shape, nullptr};
    const auto quantize = is_fast ? backend.quantize : std::nullopt;
    return TensorView{models::cpu::packed_type(view.dtype, view.columns(), quantize), view.shape,
                      nullptr};
  };
  using L = models::LayerWeights;
  constexpr std::array kMatrices = {&L::attn_q,   &L::attn_k, &L::attn_v,  &L::attn_output,
                                    &L::ffn_gate, &L::ffn_up, &L::ffn_down};
  StepCost cost;
  std::array<int64_t, 3> by_product{};
  const auto count = [&cost](const TensorView& matrix) {
    cost.weight_bytes += matrix.bytes();
    if (std::find(cost.dtypes.begin(), cost.dtypes.end(), matrix.dtype) == cost.dtypes.end()) {
      cost.dtypes.push_back(matrix.dtype);
    }
    return matrix.rows() * matrix.columns();
  };
  for (const L& layer : model.weights.layers) {
    for (const auto matrix : kMatrices) {
      const TensorView view = stored(layer.*matrix);
      const int64_t n = count(view);
      cost.layer_parameters += n;
      by_product[static_cast<size_t>(product_of(view.dtype))] += n;
    }
  }
  const int64_t n_head = count(stored(model.weights.output));
  const TensorView& embedding = model.weights.token_embedding;
  cost.parameters = cost.layer_parameters + embedding.rows() * embedding.columns();
  if (!model.spec.has_tied_embeddings) cost.parameters += n_head;
  const auto most = std::max_element(by_product.begin(), by_product.end());
  cost.product = is_fast ? static_cast<ProductKind>(most - by_product.begin()) : ProductKind::kF32;
  return cost;
}

double kv_bytes_read(const models::ModelSpec& spec, int64_t kv_bytes_per_token, double n_tokens) {
  return static_cast<double>(kv_bytes_per_token) * tokens_in_sight(spec, n_tokens);
}

double attention_operations(const models::ModelSpec& spec, double n_tokens) {
  const double per_layer = 4.0 * spec.n_heads * spec.head_dim;
  return per_layer * spec.n_layers * tokens_in_sight(spec, n_tokens);
}

}  // namespace forge::engine
