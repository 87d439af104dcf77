// Phi-3, Phi-3.5, Phi-4 and Phi-4-mini: q, k, v in one tensor, gate and up in one tensor, longrope,
// and in Phi-4-mini rotation of a part of each head. Source: Abdin et al. 2024, arXiv:2404.14219.
#include "forge/models/architecture.h"
#include "forge/models/gguf_config.h"
#include "forge/models/hf_config.h"

namespace forge::models {
namespace {

constexpr int32_t kOriginalContextWhereAbsent = 4096;  // Phi3Config's default

void set_fused(ModelSpec& spec) {
  spec.has_fused_qkv = true;
  spec.has_fused_gate_up = true;
}

ModelSpec read_hf(ConfigReader& config) {
  ModelSpec spec = read_hf_decoder(config, {.kv_heads_may_be_absent = true,
                                            .original_context = kOriginalContextWhereAbsent,
                                            .has_partial_rotary = true});
  read_hf_uniform_window(config, spec, 0);
  set_fused(spec);
  // Phi-4-mini's file carries these; its class reads none of them.
  config.must_equal("attention_bias", false);
  config.must_equal("mlp_bias", false);
  config.must_equal("lm_head_bias", false);
  config.must_equal("full_attn_mod", 1.0);
  config.must_equal("interpolate_factor", 1.0);
  return spec;
}

ModelSpec read_gguf(ConfigReader& config, const formats::TensorSet& tensors) {
  ModelSpec spec = read_gguf_decoder(config, tensors, {.has_partial_rotary = true});
  set_fused(spec);
  return spec;
}

}  // namespace

const Architecture kPhi3{
    .name = "phi3",
    .hf_class = "Phi3ForCausalLM",
    .hf_model_type = "phi3",
    .gguf_name = "phi3",
    .read_hf = read_hf,
    .read_gguf = read_gguf,
};

}  // namespace forge::models
