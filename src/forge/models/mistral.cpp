// Mistral 7B and Nemo: Llama with a sliding window in some versions and a head size of its own in
// others. GGUF files of these models say "llama". Source: Jiang et al. 2023, arXiv:2310.06825.
#include "forge/models/architecture.h"
#include "forge/models/hf_config.h"

namespace forge::models {
namespace {

constexpr int32_t kWindowWhereAbsent = 4096;  // MistralConfig's default; null says "none"

ModelSpec read_hf(ConfigReader& config) {
  ModelSpec spec = read_hf_decoder(config, {});
  read_hf_uniform_window(config, spec, kWindowWhereAbsent);
  return spec;
}

}  // namespace

const Architecture kMistral{
    .name = "mistral",
    .hf_class = "MistralForCausalLM",
    .hf_model_type = "mistral",
    .gguf_name = "",
    .read_hf = read_hf,
    .read_gguf = nullptr,
};

}  // namespace forge::models
