// The sizes of real models, for models with random weights.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "forge/models/model_spec.h"

namespace forge::engine {

/// How a model's vocabulary is written into a GGUF file.
enum class RandomVocabularyKind {
  kBytePairs,      // tokenizer.ggml.model "gpt2"
  kSentencePiece,  // "llama"
};

/// Sizes, metadata and tensor set of a published model: everything but the weights. Source: the
/// config.json of each model on the Hugging Face Hub.
struct RandomModelShape {
  std::string_view name;          // on the command line: "smollm2-135m"
  std::string_view title;         // general.name
  std::string_view architecture;  // GGUF's: "llama", "qwen2", "qwen3", "phi3"
  int32_t context_len;
  int32_t hidden_dim;
  int32_t n_layers;
  int32_t n_heads;
  int32_t n_kv_heads;
  int32_t head_dim;
  int32_t ffn_dim;
  int32_t vocab_size;
  bool has_tied_embeddings;
  double rope_theta;
  float norm_eps;
  RandomVocabularyKind vocabulary;
  std::string_view pre_tokenizer;   // tokenizer.ggml.pre
  double llama3_rope_factor = 0.0;  // 0: no rope_freqs.weight
  int32_t sliding_window = 0;       // 0: none

  /// What says which tensors there are and of which shape: sizes and presence, no rope.
  [[nodiscard]] models::ModelSpec tensor_spec() const;
};

[[nodiscard]] std::span<const RandomModelShape> random_model_shapes();

}  // namespace forge::engine
