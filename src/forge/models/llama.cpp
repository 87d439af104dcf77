// Llama 2, 3, 3.1 and 3.2 and the many models that keep its shape (SmolLM2, TinyLlama).
// Source: Touvron et al. 2023, arXiv:2307.09288; Llama Team 2024, arXiv:2407.21783.
#include "forge/models/architecture.h"
#include "forge/models/gguf_config.h"
#include "forge/models/hf_config.h"

namespace forge::models {
namespace {

ModelSpec read_hf(ConfigReader& config) {
  ModelSpec spec = read_hf_decoder(config, {.kv_heads_may_be_absent = true});
  spec.has_qkv_bias = spec.has_output_bias = config.optional_bool("attention_bias", false);
  spec.has_mlp_bias = config.optional_bool("mlp_bias", false);
  config.must_equal("rope_interleaved", false);
  return spec;
}

ModelSpec read_gguf(ConfigReader& config, const formats::TensorSet& tensors) {
  // The converter turns q and k rows into the order of Meta's own files and may say so.
  config.must_equal("tensor_data_layout", "Meta AI original pth");
  ModelSpec spec = read_gguf_decoder(config, tensors, {.layout = RopeLayout::kPairs});
  spec.has_qkv_bias = has_layer_tensor(tensors, "attn_q.bias");
  spec.has_output_bias = has_layer_tensor(tensors, "attn_output.bias");
  spec.has_mlp_bias = has_layer_tensor(tensors, "ffn_gate.bias");
  return spec;
}

}  // namespace

const Architecture kLlama{
    .name = "llama",
    .hf_class = "LlamaForCausalLM",
    .hf_model_type = "llama",
    .gguf_name = "llama",
    .read_hf = read_hf,
    .read_gguf = read_gguf,
};

}  // namespace forge::models
