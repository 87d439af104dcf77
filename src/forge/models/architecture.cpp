#include "forge/models/architecture.h"

#include <array>
#include <cmath>

namespace forge::models {
namespace {

constexpr std::array<const Architecture*, 5> kArchitectures{&kLlama, &kQwen2, &kQwen3, &kMistral,
                                                            &kPhi3};

std::string join(std::string_view Architecture::*field) {
  std::string names;
  for (const Architecture* architecture : kArchitectures) {
    const std::string_view name = architecture->*field;
    if (name.empty()) continue;
    if (!names.empty()) names += ", ";
    names += name;
  }
  return names;
}

const Architecture* find(std::string_view Architecture::*field, std::string_view name) {
  for (const Architecture* architecture : kArchitectures) {
    if (!name.empty() && architecture->*field == name) return architecture;
  }
  return nullptr;
}

}  // namespace

std::span<const Architecture* const> all_architectures() { return kArchitectures; }

const Architecture* find_hf_architecture(std::string_view hf_class) {
  return find(&Architecture::hf_class, hf_class);
}

const Architecture* find_hf_model_type(std::string_view model_type) {
  return find(&Architecture::hf_model_type, model_type);
}

const Architecture* find_gguf_architecture(std::string_view gguf_name) {
  return find(&Architecture::gguf_name, gguf_name);
}

std::string hf_class_names() { return join(&Architecture::hf_class); }
std::string gguf_names() { return join(&Architecture::gguf_name); }

Status check_spec(const ModelSpec& spec) {
  if (spec.n_heads % spec.n_kv_heads != 0) {
    return make_error("{} attention heads are no multiple of {} key/value heads", spec.n_heads,
                      spec.n_kv_heads);
  }
  if (spec.rope.rotary_dim > spec.head_dim) {
    return make_error("{} rotary dimensions in heads of {}", spec.rope.rotary_dim, spec.head_dim);
  }
  if (!(spec.norm_eps > 0.0f) || !std::isfinite(spec.norm_eps)) {
    return make_error("norm epsilon: {}, expected a number above 0", spec.norm_eps);
  }
  return {};
}

}  // namespace forge::models
