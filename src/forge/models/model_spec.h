// What a decoder-only transformer is, as plain data. An architecture's file reads a checkpoint's
// config into this struct; the shared decoder runs it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "forge/models/rope_config.h"

namespace forge::models {

/// Activation of the gated MLP: down(act(gate(x)) * up(x)).
enum class Activation { kSilu, kGeluTanh };

/// Rotary position embedding. inv_freq and attention_scale come out of models/rope_scaling.h, so
/// the kernels know no scaling kinds. Source: Su et al. 2021, arXiv:2104.09864.
struct RopeSpec {
  RopeLayout layout = RopeLayout::kHalves;
  int32_t rotary_dim = 0;       // leading dimensions of a head that rotate; even
  std::vector<float> inv_freq;  // (rotary_dim / 2), f32 as PyTorch computes them
  /// longrope only: frequencies for sequences longer than original_context, else empty.
  std::vector<float> long_inv_freq;
  int32_t original_context = 0;  // longrope only
  float attention_scale = 1.0f;  // factor on cos and sin (yarn, longrope)
  std::string description;       // "theta 10000", "llama3 scaling, factor 32", for people
  RopeConfig config;             // what all of this was worked out from
};

/// Sizes and choices of one decoder.
struct ModelSpec {
  std::string architecture;  // "llama", "qwen2", "qwen3", "mistral", "phi3"
  std::string model_name;    // general.name or the folder's name; for people only

  int32_t n_layers = 0;
  int32_t hidden_dim = 0;
  int32_t ffn_dim = 0;
  int32_t n_heads = 0;
  int32_t n_kv_heads = 0;  // divides n_heads
  int32_t head_dim = 0;
  int32_t vocab_size = 0;  // rows of the embedding; may exceed the tokenizer's
  int32_t context_len = 0;

  float norm_eps = 0.0f;
  Activation activation = Activation::kSilu;
  bool has_qkv_bias = false;
  bool has_output_bias = false;  // attention output projection (llama attention_bias)
  bool has_mlp_bias = false;
  bool has_qk_norm = false;        // RMSNorm of each head of q and k before RoPE (qwen3)
  bool has_fused_qkv = false;      // one tensor, rows [q; k; v] (phi3)
  bool has_fused_gate_up = false;  // one tensor, rows [gate; up] (phi3)
  bool has_tied_embeddings = false;
  /// Tokens a query sees, itself included, per layer: 0 = all. (n_layers)
  std::vector<int32_t> sliding_window;
  RopeSpec rope;

  std::optional<int32_t> bos_id;
  std::vector<int32_t> eos_ids;  // from generation_config.json / config.json / GGUF
  /// The longest window where every layer has one; 0 where some layer sees everything.
  [[nodiscard]] int32_t longest_window() const {
    int32_t longest = 0;
    for (const int32_t window : sliding_window) {
      if (window == 0) return 0;
      longest = window > longest ? window : longest;
    }
    return longest;
  }
  /// Things a person should know: keys that were read and have no effect on this engine.
  std::vector<std::string> notes;
};

}  // namespace forge::models
