#include "forge/models/gguf_config.h"

#include <fmt/format.h>

#include <limits>
#include <string>

#include "forge/models/config_limits.h"
#include "forge/models/rope_scaling.h"
#include "forge/tensor/decode.h"

namespace forge::models {
namespace {

constexpr const char* kDivisors = "rope_freqs.weight";
constexpr const char* kShortFactors = "rope_factors_short.weight";
constexpr const char* kLongFactors = "rope_factors_long.weight";

// Features some architectures share keys for, switched off in the families here.
void require_features_off(ConfigReader& config) {
  config.must_equal("expert_count", 0.0);
  config.must_equal("expert_used_count", 0.0);
  config.must_equal("nextn_predict_layers", 0.0);
  config.must_equal("leading_dense_block_count", 0.0);
  config.must_equal("attn_logit_softcapping", 0.0);
  config.must_equal("final_logit_softcapping", 0.0);
  config.must_equal("attention.clamp_kqv", 0.0);
  config.must_equal("attention.max_alibi_bias", 0.0);
  config.must_equal("attention.causal", true);
  config.must_equal("use_parallel_residual", false);
  config.must_equal("logit_scale", 1.0);
  config.must_equal("embedding_scale", 1.0);
  config.must_equal("residual_scale", 1.0);
}

// The values of a small f32 tensor; empty where the file has none.
std::vector<float> read_vector(ConfigReader& config, const formats::TensorSet& tensors,
                               const char* name) {
  const formats::NamedTensor* tensor = tensors.find(name);
  if (tensor == nullptr) return {};
  const TensorView& view = tensor->view;
  if (view.dtype != DType::kF32 || view.shape.rank() != 1 || view.columns() > kMaxHeadDim) {
    config.fail(
        fmt::format("tensor \"{}\": {} {}, expected F32 with one value for each pair of "
                    "rotary dimensions",
                    name, forge::name(view.dtype), view.shape.to_string()));
    return {};
  }
  std::vector<float> values(static_cast<size_t>(view.columns()));
  decode(view.dtype, view.data, view.columns(), values.data());
  return values;
}

RopeScaling scaling_kind(ConfigReader& config, const RopeConfig& rope) {
  constexpr std::string_view key = "rope.scaling.type";
  const bool has_divisors = !rope.divisors.empty();
  const bool has_long = !rope.short_factors.empty() || !rope.long_factors.empty();
  const auto stated = config.optional_string(key);
  if (has_divisors || has_long) {
    const std::string kind = stated.value_or("none");
    const bool fits = kind == "none" || (has_long && kind == "longrope");
    if (!fits || (has_divisors && has_long)) {
      config.fail_at(key, fmt::format("does not go with tensor \"{}\" of the same file",
                                      has_divisors ? kDivisors : kLongFactors));
    }
    return has_divisors ? RopeScaling::kDivisors : RopeScaling::kLongrope;
  }
  // A factor without a type is linear scaling, as ggml's reader takes it.
  const bool has_factor = config.has("rope.scaling.factor") || config.has("rope.scale_linear");
  const std::string kind = stated.value_or(has_factor ? "linear" : "none");
  if (kind == "none") return RopeScaling::kNone;
  if (kind == "linear") return RopeScaling::kLinear;
  if (kind == "yarn") return RopeScaling::kYarn;
  if (kind == "longrope") {
    config.fail_at(
        key, fmt::format("tensors \"{}\" and \"{}\" are missing", kShortFactors, kLongFactors));
  } else {
    config.fail_at(key, "expected none, linear, yarn or longrope");
  }
  return RopeScaling::kNone;
}

void read_scaling(ConfigReader& config, RopeConfig& rope) {
  rope.scaling = scaling_kind(config, rope);
  config.inert({"rope.scaling.finetuned"});  // how the weights came about
  const bool takes_factor =
      rope.scaling == RopeScaling::kLinear || rope.scaling == RopeScaling::kYarn;
  if (takes_factor) {
    const auto old_factor = config.optional_number("rope.scale_linear");
    const auto factor = config.optional_number("rope.scaling.factor");
    rope.factor = factor ? factor : old_factor;
  } else if (rope.scaling != RopeScaling::kNone) {
    config.must_equal("rope.scaling.factor", 1.0);
    config.must_equal("rope.scale_linear", 1.0);
  } else {
    config.inert({"rope.scaling.factor", "rope.scale_linear"});  // the file says "none"
  }
  const int32_t original =
      config.optional_int("rope.scaling.original_context_length", 0, 0, kMaxContext);
  if (rope.scaling == RopeScaling::kLongrope) {
    if (original == 0) {
      config.fail_at("rope.scaling.original_context_length", "required for longrope");
    }
    rope.original_context = original;
    rope.attention_factor = config.optional_number("rope.scaling.attn_factor");
    return;
  }
  config.must_equal("rope.scaling.attn_factor", 1.0);
  if (rope.scaling == RopeScaling::kYarn) {
    rope.original_context = original > 0 ? original : rope.context_len;
    rope.beta_fast = config.optional_double("rope.scaling.yarn_beta_fast", rope.beta_fast);
    rope.beta_slow = config.optional_double("rope.scaling.yarn_beta_slow", rope.beta_slow);
    config.must_equal("rope.scaling.yarn_ext_factor", 1.0);
    config.must_equal("rope.scaling.yarn_attn_factor", 1.0);
  }
}

RopeSpec read_rope(ConfigReader& config, const formats::TensorSet& tensors, const ModelSpec& spec,
                   const GgufTraits& traits) {
  RopeConfig rope;
  rope.layout = traits.layout;
  rope.context_len = spec.context_len;
  rope.theta = config.optional_double("rope.freq_base", rope.theta);
  rope.rotary_dim = config.optional_int("rope.dimension_count", spec.head_dim, 2, kMaxHeadDim);
  if (!traits.has_partial_rotary && rope.rotary_dim != spec.head_dim) {
    config.fail_at("rope.dimension_count",
                   fmt::format("expected the head size, {}", spec.head_dim));
  }
  rope.divisors = read_vector(config, tensors, kDivisors);
  rope.short_factors = read_vector(config, tensors, kShortFactors);
  rope.long_factors = read_vector(config, tensors, kLongFactors);
  read_scaling(config, rope);
  if (config.failed()) return {};
  auto made = make_rope(rope);
  if (!made.ok()) {
    config.fail(made.error().message);
    return {};
  }
  return *made;
}

// The embedding decides: files state the vocabulary's size in a key, in the tokenizer, or nowhere.
int32_t read_vocab_size(ConfigReader& config, const formats::TensorSet& tensors) {
  const formats::NamedTensor* embedding = tensors.find("token_embd.weight");
  if (embedding == nullptr) {
    config.fail("tensor \"token_embd.weight\" is missing");
    return 1;
  }
  const int64_t rows = embedding->view.rows();
  if (rows < 1 || rows > kMaxVocab) {
    config.fail(fmt::format("tensor \"token_embd.weight\": shape {}, expected 1 to {} rows",
                            embedding->view.shape.to_string(), kMaxVocab));
    return 1;
  }
  const auto vocab_size = static_cast<int32_t>(rows);
  if (config.optional_int("vocab_size", vocab_size, 1, kMaxVocab) != vocab_size) {
    config.fail_at("vocab_size", fmt::format("tensor \"token_embd.weight\" has {} rows", rows));
  }
  return vocab_size;
}

// key_length and value_length; both default to hidden / heads, and Forge wants them equal.
int32_t read_head_dim(ConfigReader& config, const ModelSpec& spec) {
  const bool divides = spec.hidden_dim % spec.n_heads == 0;
  const int32_t derived = divides ? spec.hidden_dim / spec.n_heads : 0;
  const int32_t k = config.optional_int("attention.key_length", derived, 1, kMaxHeadDim);
  const int32_t v = config.optional_int("attention.value_length", k, 1, kMaxHeadDim);
  if (k == 0) {
    config.fail_at("embedding_length", fmt::format("no multiple of attention.head_count = {}, and "
                                                   "there is no attention.key_length",
                                                   spec.n_heads));
  }
  if (v != k) {
    config.fail_at("attention.value_length", fmt::format("expected attention.key_length, {}", k));
  }
  return k;
}

}  // namespace

ModelSpec read_gguf_decoder(ConfigReader& config, const formats::TensorSet& tensors,
                            const GgufTraits& traits) {
  require_features_off(config);
  ModelSpec spec;
  spec.n_layers = config.required_int("block_count", 1, kMaxLayers);
  spec.hidden_dim = config.required_int("embedding_length", 1, kMaxWidth);
  spec.ffn_dim = config.required_uniform_int("feed_forward_length", 1, kMaxWidth);
  spec.context_len = config.required_int("context_length", 1, kMaxContext);
  spec.n_heads = config.required_uniform_int("attention.head_count", 1, kMaxHeads);
  spec.n_kv_heads =
      config.optional_uniform_int("attention.head_count_kv", spec.n_heads, 1, kMaxHeads);
  spec.head_dim = read_head_dim(config, spec);
  spec.vocab_size = read_vocab_size(config, tensors);
  spec.norm_eps = static_cast<float>(config.required_double("attention.layer_norm_rms_epsilon"));
  spec.has_tied_embeddings = tensors.find("output.weight") == nullptr;
  const int32_t window =
      config.optional_int("attention.sliding_window", 0, 0, std::numeric_limits<int32_t>::max());
  spec.sliding_window.assign(static_cast<size_t>(spec.n_layers),
                             window >= spec.context_len ? 0 : window);
  spec.rope = read_rope(config, tensors, spec, traits);
  return spec;
}

bool has_layer_tensor(const formats::TensorSet& tensors, std::string_view name) {
  return tensors.find(fmt::format("blk.0.{}", name)) != nullptr;
}

}  // namespace forge::models
