// The weights of a decoder by role. Views into the checkpoint: nothing is copied.
#pragma once

#include <vector>

#include "forge/tensor/view.h"

namespace forge::models {

/// Matrices are (output features, input features); vectors are (features). A missing view means the
/// spec says the model has none. Fused tensors arrive here already split into row ranges.
struct LayerWeights {
  TensorView attn_norm;    // (hidden_dim)
  TensorView attn_q;       // (n_heads * head_dim, hidden_dim)
  TensorView attn_k;       // (n_kv_heads * head_dim, hidden_dim)
  TensorView attn_v;       // (n_kv_heads * head_dim, hidden_dim)
  TensorView attn_q_bias;  // (n_heads * head_dim)
  TensorView attn_k_bias;
  TensorView attn_v_bias;
  TensorView attn_q_norm;  // (head_dim)
  TensorView attn_k_norm;  // (head_dim)
  TensorView attn_output;  // (hidden_dim, n_heads * head_dim)
  TensorView attn_output_bias;
  TensorView ffn_norm;  // (hidden_dim)
  TensorView ffn_gate;  // (ffn_dim, hidden_dim)
  TensorView ffn_up;    // (ffn_dim, hidden_dim)
  TensorView ffn_down;  // (hidden_dim, ffn_dim)
  TensorView ffn_gate_bias;
  TensorView ffn_up_bias;
  TensorView ffn_down_bias;
};

struct ModelWeights {
  TensorView token_embedding;  // (vocab_size, hidden_dim)
  std::vector<LayerWeights> layers;
  TensorView output_norm;  // (hidden_dim)
  TensorView output;       // (vocab_size, hidden_dim); the embedding again where tied
};

}  // namespace forge::models
