// Qwen2 and Qwen2.5: biases on q, k and v. Source: Yang et al. 2024, arXiv:2407.10671.
#include "forge/models/architecture.h"
#include "forge/models/gguf_config.h"
#include "forge/models/hf_config.h"

namespace forge::models {
namespace {

ModelSpec read_hf(ConfigReader& config) {
  ModelSpec spec = read_hf_decoder(config, {});
  read_hf_layer_windows(config, spec);
  spec.has_qkv_bias = true;
  config.must_equal("use_mrope", false);
  return spec;
}

ModelSpec read_gguf(ConfigReader& config, const formats::TensorSet& tensors) {
  ModelSpec spec = read_gguf_decoder(config, tensors, {});
  spec.has_qkv_bias = true;
  return spec;
}

}  // namespace

const Architecture kQwen2{
    .name = "qwen2",
    .hf_class = "Qwen2ForCausalLM",
    .hf_model_type = "qwen2",
    .gguf_name = "qwen2",
    .read_hf = read_hf,
    .read_gguf = read_gguf,
};

}  // namespace forge::models
