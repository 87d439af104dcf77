// The small tensors of a model, decoded to f32 once.
#pragma once

#include <vector>

#include "forge/models/weights.h"
#include "forge/tensor/decode.h"

namespace forge::models {

/// A norm weight or bias as f32; empty where the model has none.
[[nodiscard]] inline std::vector<float> to_f32(const TensorView& view) {
  if (view.is_missing()) return {};
  std::vector<float> values(static_cast<size_t>(view.columns()));
  decode_row(view, 0, values.data());
  return values;
}

/// Norm weights and biases of a layer.
struct LayerVectors {
  std::vector<float> attn_norm, q_bias, k_bias, v_bias, q_norm, k_norm, output_bias;
  std::vector<float> ffn_norm, gate_bias, up_bias, down_bias;

  explicit LayerVectors(const LayerWeights& w)
      : attn_norm(to_f32(w.attn_norm)),
        q_bias(to_f32(w.attn_q_bias)),
        k_bias(to_f32(w.attn_k_bias)),
        v_bias(to_f32(w.attn_v_bias)),
        q_norm(to_f32(w.attn_q_norm)),
        k_norm(to_f32(w.attn_k_norm)),
        output_bias(to_f32(w.attn_output_bias)),
        ffn_norm(to_f32(w.ffn_norm)),
        gate_bias(to_f32(w.ffn_gate_bias)),
        up_bias(to_f32(w.ffn_up_bias)),
        down_bias(to_f32(w.ffn_down_bias)) {}
};

}  // namespace forge::models
