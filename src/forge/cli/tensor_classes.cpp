#include "forge/cli/tensor_classes.h"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <utility>

namespace forge::cli {
namespace {

using models::LayerWeights;

constexpr std::array kLayerRoles = {
    std::pair{std::string_view("attn_norm"), &LayerWeights::attn_norm},
    std::pair{std::string_view("attn_q"), &LayerWeights::attn_q},
    std::pair{std::string_view("attn_k"), &LayerWeights::attn_k},
    std::pair{std::string_view("attn_v"), &LayerWeights::attn_v},
    std::pair{std::string_view("attn_q_bias"), &LayerWeights::attn_q_bias},
    std::pair{std::string_view("attn_k_bias"), &LayerWeights::attn_k_bias},
    std::pair{std::string_view("attn_v_bias"), &LayerWeights::attn_v_bias},
    std::pair{std::string_view("attn_q_norm"), &LayerWeights::attn_q_norm},
    std::pair{std::string_view("attn_k_norm"), &LayerWeights::attn_k_norm},
    std::pair{std::string_view("attn_output"), &LayerWeights::attn_output},
    std::pair{std::string_view("attn_output_bias"), &LayerWeights::attn_output_bias},
    std::pair{std::string_view("ffn_norm"), &LayerWeights::ffn_norm},
    std::pair{std::string_view("ffn_gate"), &LayerWeights::ffn_gate},
    std::pair{std::string_view("ffn_up"), &LayerWeights::ffn_up},
    std::pair{std::string_view("ffn_down"), &LayerWeights::ffn_down},
    std::pair{std::string_view("ffn_gate_bias"), &LayerWeights::ffn_gate_bias},
    std::pair{std::string_view("ffn_up_bias"), &LayerWeights::ffn_up_bias},
    std::pair{std::string_view("ffn_down_bias"), &LayerWeights::ffn_down_bias},
};

void add(const TensorView& view, TensorClass& tensor_class) {
  if (view.is_missing()) return;
  tensor_class.shape = view.shape;
  ++tensor_class.by_dtype[view.dtype];
  tensor_class.bytes += view.bytes();
}

}  // namespace

std::vector<TensorClass> tensor_classes(const models::ModelWeights& weights) {
  std::vector<TensorClass> classes;
  const auto keep = [&](TensorClass tensor_class) {
    if (!tensor_class.by_dtype.empty()) classes.push_back(std::move(tensor_class));
  };
  const auto single = [&](std::string_view role, const TensorView& view) {
    TensorClass tensor_class{std::string(role), {}, {}, 0};
    add(view, tensor_class);
    keep(std::move(tensor_class));
  };
  single("token_embedding", weights.token_embedding);
  for (const auto& [role, member] : kLayerRoles) {
    TensorClass tensor_class{std::string(role), {}, {}, 0};
    for (const LayerWeights& layer : weights.layers) add(layer.*member, tensor_class);
    keep(std::move(tensor_class));
  }
  single("output_norm", weights.output_norm);
  if (weights.output.data != weights.token_embedding.data) single("output", weights.output);
  return classes;
}

std::string describe_dtypes(const TensorClass& tensor_class) {
  std::string text;
  for (const auto& [dtype, count] : tensor_class.by_dtype) {
    if (!text.empty()) text += ", ";
    text += count == 1 && tensor_class.by_dtype.size() == 1
                ? std::string(name(dtype))
                : fmt::format("{} x {}", name(dtype), count);
  }
  return text;
}

}  // namespace forge::cli
