#include "forge/engine/random_model_shape.h"

#include <array>

namespace forge::engine {
namespace {

constexpr auto kBytePairs = RandomVocabularyKind::kBytePairs;
constexpr auto kPieces = RandomVocabularyKind::kSentencePiece;

// clang-format off
// name, title, architecture, context, hidden, layers, heads, kv heads, head size, ffn, vocabulary,
// tied, theta, eps, tokenizer
constexpr std::array kShapes{
    RandomModelShape{"smollm2-135m", "SmolLM2 135M", "llama", 8192, 576, 30, 9, 3, 64, 1536, 49152,
                     true, 1e5, 1e-5f, kBytePairs, "smollm"},
    RandomModelShape{"qwen2.5-0.5b", "Qwen2.5 0.5B", "qwen2", 32768, 896, 24, 14, 2, 64, 4864,
                     151936, true, 1e6, 1e-6f, kBytePairs, "qwen2"},
    RandomModelShape{"qwen3-0.6b", "Qwen3 0.6B", "qwen3", 40960, 1024, 28, 16, 8, 128, 3072,
                     151936, true, 1e6, 1e-6f, kBytePairs, "qwen2"},
    RandomModelShape{"tinyllama-1.1b", "TinyLlama 1.1B", "llama", 2048, 2048, 22, 32, 4, 64, 5632,
                     32000, false, 1e4, 1e-5f, kPieces, "default"},
    RandomModelShape{"llama-3.2-1b", "Llama 3.2 1B", "llama", 131072, 2048, 16, 32, 8, 64, 8192,
                     128256, true, 5e5, 1e-5f, kBytePairs, "llama-bpe", 32.0},
    RandomModelShape{"phi-3-mini", "Phi-3 mini 4k", "phi3", 4096, 3072, 32, 32, 32, 96, 8192,
                     32064, false, 1e4, 1e-5f, kPieces, "default", 0.0, 2047},
    RandomModelShape{"llama-3.1-8b", "Llama 3.1 8B", "llama", 131072, 4096, 32, 32, 8, 128, 14336,
                     128256, false, 5e5, 1e-5f, kBytePairs, "llama-bpe", 8.0},
    // Not a published model: small enough for tests; every row is a multiple of 256.
    RandomModelShape{"tiny-test", "Tiny Test", "llama", 512, 256, 2, 4, 2, 64, 512, 1024,
                     false, 1e4, 1e-5f, kBytePairs, "smollm"},
};
// clang-format on

}  // namespace

models::ModelSpec RandomModelShape::tensor_spec() const {
  models::ModelSpec spec;
  spec.architecture = architecture;
  spec.n_layers = n_layers;
  spec.hidden_dim = hidden_dim;
  spec.ffn_dim = ffn_dim;
  spec.n_heads = n_heads;
  spec.n_kv_heads = n_kv_heads;
  spec.head_dim = head_dim;
  spec.vocab_size = vocab_size;
  spec.context_len = context_len;
  spec.has_tied_embeddings = has_tied_embeddings;
  spec.has_qkv_bias = architecture == "qwen2";
  spec.has_qk_norm = architecture == "qwen3";
  spec.has_fused_qkv = spec.has_fused_gate_up = architecture == "phi3";
  return spec;
}

std::span<const RandomModelShape> random_model_shapes() { return kShapes; }

}  // namespace forge::engine
