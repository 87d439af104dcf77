// The parts of config.json that the architectures share. Key names and defaults are those of
// transformers 5 (which reads version 4's files too); the reader accepts both spellings.
#pragma once

#include <cstdint>
#include <optional>

#include "forge/models/config_reader.h"
#include "forge/models/model_spec.h"

namespace forge::models {

/// Where a family differs from the others in what an absent key means.
struct HfDefaults {
  int32_t head_dim = 0;                 // 0: hidden_size / num_attention_heads
  bool kv_heads_may_be_absent = false;  // absent: as many as attention heads
  int32_t original_context = 0;         // 0: none of its own
  bool has_partial_rotary = false;      // partial_rotary_factor is read; else it must be 1
};

/// Sizes, norm, activation, tied embeddings, rope; marks the keys that never matter as inert.
/// sliding_window is (n_layers) zeros; biases and the like stay at their defaults.
[[nodiscard]] ModelSpec read_hf_decoder(ConfigReader& config, const HfDefaults& defaults);

/// qwen2 and qwen3: use_sliding_window, sliding_window, max_window_layers, layer_types.
void read_hf_layer_windows(ConfigReader& config, ModelSpec& spec);

/// mistral and phi3: one sliding_window for all layers; fallback where the key is absent (0: none).
void read_hf_uniform_window(ConfigReader& config, ModelSpec& spec, int32_t fallback);

}  // namespace forge::models
