// Qwen3, dense: RMSNorm on each head of q and k, a head size of its own, no q/k/v bias.
// Source: Qwen3 Technical Report 2025, arXiv:2505.09388.
#include "forge/models/architecture.h"
#include "forge/models/gguf_config.h"
#include "forge/models/hf_config.h"

namespace forge::models {
namespace {

constexpr int32_t kHeadDimWhereAbsent = 128;  // Qwen3Config's default

ModelSpec read_hf(ConfigReader& config) {
  ModelSpec spec = read_hf_decoder(config, {.head_dim = kHeadDimWhereAbsent});
  read_hf_layer_windows(config, spec);
  spec.has_qkv_bias = spec.has_output_bias = config.optional_bool("attention_bias", false);
  spec.has_qk_norm = true;
  return spec;
}

ModelSpec read_gguf(ConfigReader& config, const formats::TensorSet& tensors) {
  ModelSpec spec = read_gguf_decoder(config, tensors, {});
  spec.has_qkv_bias = has_layer_tensor(tensors, "attn_q.bias");
  spec.has_output_bias = has_layer_tensor(tensors, "attn_output.bias");
  spec.has_qk_norm = true;
  return spec;
}

}  // namespace

const Architecture kQwen3{
    .name = "qwen3",
    .hf_class = "Qwen3ForCausalLM",
    .hf_model_type = "qwen3",
    .gguf_name = "qwen3",
    .read_hf = read_hf,
    .read_gguf = read_gguf,
};

}  // namespace forge::models
