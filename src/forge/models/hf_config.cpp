#include "forge/models/hf_config.h"

#include <algorithm>
#include <limits>
#include <string>

#include "forge/formats/quote.h"
#include "forge/models/config_limits.h"
#include "forge/models/rope_scaling.h"

namespace forge::models {
namespace {

// Training, bookkeeping of transformers and its generation defaults (version 4 wrote those into
// config.json too; how Forge samples is the request's business).
void mark_inert(ConfigReader& config) {
  config.inert({"architectures",
                "model_type",
                "_name_or_path",
                "transformers_version",
                "auto_map",
                "torch_dtype",
                "dtype",
                "use_cache",
                "initializer_range",
                "attention_dropout",
                "hidden_dropout",
                "resid_pdrop",
                "embd_pdrop",
                "pretraining_tp",
                "pad_token_id",
                "bos_token_id",
                "eos_token_id",
                "sep_token_id",
                "unk_token_id",
                "decoder_start_token_id",
                "output_attentions",
                "output_hidden_states",
                "output_scores",
                "return_dict",
                "return_dict_in_generate",
                "id2label",
                "label2id",
                "problem_type",
                "finetuning_task",
                "task_specific_params",
                "tokenizer_class",
                "prefix",
                "torchscript",
                "_attn_implementation",
                "attn_implementation",
                "_attn_implementation_autoset",
                "chunk_size_feed_forward",
                "tf_legacy_loss",
                "use_bfloat16",
                "gradient_checkpointing",
                "use_mambapy"});
  config.inert({"max_length",
                "min_length",
                "do_sample",
                "early_stopping",
                "num_beams",
                "num_beam_groups",
                "diversity_penalty",
                "temperature",
                "top_k",
                "top_p",
                "typical_p",
                "repetition_penalty",
                "length_penalty",
                "no_repeat_ngram_size",
                "encoder_no_repeat_ngram_size",
                "bad_words_ids",
                "num_return_sequences",
                "forced_bos_token_id",
                "forced_eos_token_id",
                "remove_invalid_values",
                "exponential_decay_length_penalty",
                "suppress_tokens",
                "begin_suppress_tokens"});
  // Written by tools around transformers; SmolLM2's files carry the first two.
  config.inert({"is_llama_config", "transformers.js_config", "unsloth_fixed", "unsloth_version",
                "unsloth_processed"});
  config.refuse("quantization_config",
                "Hugging Face's quantised checkpoints are not supported; use a GGUF of this model");
}

Activation read_activation(ConfigReader& config) {
  const std::string name = config.optional_string("hidden_act").value_or("silu");
  if (name == "silu" || name == "swish") return Activation::kSilu;
  if (name == "gelu_pytorch_tanh" || name == "gelu_new") return Activation::kGeluTanh;
  config.fail_at("hidden_act", "expected silu, swish, gelu_pytorch_tanh or gelu_new");
  return Activation::kSilu;
}

RopeScaling scaling_kind(ConfigReader& scaling, bool is_phi3) {
  // "type" is the older spelling; files that have both say the same twice.
  const auto old_name = scaling.optional_string("type");
  const auto new_name = scaling.optional_string("rope_type");
  if (old_name && new_name && *old_name != *new_name) {
    scaling.fail_at("type", "rope_type says " + formats::quote(*new_name));
  }
  const std::string kind = new_name.value_or(old_name.value_or("default"));
  const std::string_view key = new_name ? "rope_type" : "type";
  if (kind == "default") return RopeScaling::kNone;
  if (kind == "linear") return RopeScaling::kLinear;
  if (kind == "llama3") return RopeScaling::kLlama3;
  if (kind == "longrope") return RopeScaling::kLongrope;
  // Phi-3's first files say "su", and transformers reads "yarn" in a phi3 config as longrope too.
  if (is_phi3 && (kind == "su" || kind == "yarn")) return RopeScaling::kLongrope;
  if (kind == "yarn") return RopeScaling::kYarn;
  if (kind == "dynamic") {
    scaling.fail_at(key,
                    "dynamic scaling changes every frequency as a sequence grows, so cached keys "
                    "become wrong; expected default, linear, llama3, yarn or longrope");
  } else {
    scaling.fail_at(key, "expected default, linear, llama3, yarn or longrope");
  }
  return RopeScaling::kNone;
}

std::vector<float> to_f32(const std::vector<double>& values) {
  std::vector<float> result;
  for (const double value : values) result.push_back(static_cast<float>(value));
  return result;
}

void read_scaling(ConfigReader& scaling, RopeConfig& rope, bool is_phi3) {
  rope.scaling = scaling_kind(scaling, is_phi3);
  if (rope.scaling == RopeScaling::kNone) {
    scaling.inert({"factor", "original_max_position_embeddings"});
    return;
  }
  rope.factor = scaling.optional_number("factor");
  if (rope.scaling == RopeScaling::kLinear) {
    scaling.inert({"original_max_position_embeddings"});
    return;
  }
  const int32_t stated =
      scaling.optional_int("original_max_position_embeddings", rope.context_len, 1, kMaxContext);
  // A key of the same name at the top goes first, as in transformers.
  if (rope.original_context == 0) rope.original_context = stated;
  if (rope.scaling == RopeScaling::kLlama3) {
    rope.low_freq_factor = scaling.required_double("low_freq_factor");
    rope.high_freq_factor = scaling.required_double("high_freq_factor");
    return;
  }
  rope.attention_factor = scaling.optional_number("attention_factor");
  if (rope.scaling == RopeScaling::kLongrope) {
    rope.short_factors = to_f32(scaling.required_doubles("short_factor"));
    rope.long_factors = to_f32(scaling.required_doubles("long_factor"));
    return;
  }
  rope.beta_fast = scaling.optional_double("beta_fast", rope.beta_fast);
  rope.beta_slow = scaling.optional_double("beta_slow", rope.beta_slow);
  rope.mscale = scaling.optional_number("mscale");
  rope.mscale_all_dim = scaling.optional_number("mscale_all_dim");
  rope.truncate = scaling.optional_bool("truncate", rope.truncate);
}

// rope_theta and partial_rotary_factor stand at the top in version 4 and inside rope_parameters in
// version 5; a value inside goes first. rope_scaling, where it says anything, replaces
// rope_parameters.
RopeSpec read_rope(ConfigReader& config, const ModelSpec& spec, const HfDefaults& defaults) {
  RopeConfig rope;
  rope.context_len = spec.context_len;
  rope.original_context = config.optional_int("original_max_position_embeddings",
                                              defaults.original_context, 1, kMaxContext);
  rope.theta = config.optional_double("rope_theta", rope.theta);
  double partial = config.optional_double("partial_rotary_factor", 1.0);
  const std::string_view key = config.has("rope_scaling") ? "rope_scaling" : "rope_parameters";
  if (config.has("rope_scaling") && config.has("rope_parameters")) {
    config.fail_at("rope_parameters", "rope_scaling is there too; expected one of them");
  }
  if (auto scaling = config.child(key)) {
    rope.theta = scaling->optional_double("rope_theta", rope.theta);
    partial = scaling->optional_double("partial_rotary_factor", partial);
    read_scaling(*scaling, rope, defaults.has_partial_rotary);
  }
  if (!(partial > 0.0 && partial <= 1.0) || (!defaults.has_partial_rotary && partial != 1.0)) {
    config.fail(fmt::format("partial_rotary_factor = {}: expected {}", partial,
                            defaults.has_partial_rotary ? "above 0 and at most 1" : "1"));
  }
  rope.rotary_dim = static_cast<int32_t>(spec.head_dim * partial);
  if (config.failed()) return {};
  auto made = make_rope(rope);
  if (!made.ok()) {
    config.fail(made.error().message);
    return {};
  }
  return *made;
}

// sliding_window: null means none, absence means what the family's class says. A window as wide as
// the context hides nothing.
int32_t read_window(ConfigReader& config, const ModelSpec& spec, int32_t fallback) {
  const int32_t absent = config.is_null("sliding_window") ? 0 : fallback;
  const int32_t window =
      config.optional_int("sliding_window", absent, 1, std::numeric_limits<int32_t>::max());
  return window >= spec.context_len ? 0 : window;
}

}  // namespace

ModelSpec read_hf_decoder(ConfigReader& config, const HfDefaults& defaults) {
  mark_inert(config);
  ModelSpec spec;
  spec.n_layers = config.required_int("num_hidden_layers", 1, kMaxLayers);
  spec.hidden_dim = config.required_int("hidden_size", 1, kMaxWidth);
  spec.ffn_dim = config.required_int("intermediate_size", 1, kMaxWidth);
  spec.vocab_size = config.required_int("vocab_size", 1, kMaxVocab);
  spec.context_len = config.required_int("max_position_embeddings", 1, kMaxContext);
  spec.n_heads = config.required_int("num_attention_heads", 1, kMaxHeads);
  const bool as_many = defaults.kv_heads_may_be_absent || config.is_null("num_key_value_heads");
  spec.n_kv_heads = as_many ? config.optional_int("num_key_value_heads", spec.n_heads, 1, kMaxHeads)
                            : config.required_int("num_key_value_heads", 1, kMaxHeads);
  const bool divides = spec.hidden_dim % spec.n_heads == 0;
  const int32_t derived = defaults.head_dim > 0 ? defaults.head_dim
                          : divides             ? spec.hidden_dim / spec.n_heads
                                                : 0;
  spec.head_dim = config.optional_int("head_dim", derived, 1, kMaxHeadDim);
  if (spec.head_dim == 0) {
    config.fail_at("hidden_size", fmt::format("no multiple of num_attention_heads = {}, and there "
                                              "is no head_dim",
                                              spec.n_heads));
  }
  spec.norm_eps = static_cast<float>(config.required_double("rms_norm_eps"));
  spec.activation = read_activation(config);
  spec.has_tied_embeddings = config.optional_bool("tie_word_embeddings", false);
  spec.sliding_window.assign(static_cast<size_t>(spec.n_layers), 0);
  spec.rope = read_rope(config, spec, defaults);
  return spec;
}

void read_hf_layer_windows(ConfigReader& config, ModelSpec& spec) {
  const bool is_used = config.optional_bool("use_sliding_window", false);
  const int32_t window = read_window(config, spec, 4096);
  const int32_t first = config.optional_int("max_window_layers", 28, 0, kMaxLayers);
  const auto types = config.optional_strings("layer_types");
  if (!types.empty() && types.size() != spec.sliding_window.size()) {
    config.fail_at("layer_types", fmt::format("{} entries, expected num_hidden_layers = {}",
                                              types.size(), spec.n_layers));
    return;
  }
  for (size_t i = 0; i < spec.sliding_window.size(); ++i) {
    bool slides = is_used && static_cast<int32_t>(i) >= first;
    if (!types.empty()) {
      if (types[i] != "full_attention" && types[i] != "sliding_attention") {
        config.fail_at("layer_types", "expected full_attention or sliding_attention");
      }
      slides = types[i] == "sliding_attention";
      if (slides && !is_used) {
        config.fail_at("layer_types", "sliding_attention without use_sliding_window");
      }
    }
    if (slides) spec.sliding_window[i] = window;
  }
}

void read_hf_uniform_window(ConfigReader& config, ModelSpec& spec, int32_t fallback) {
  const int32_t window = read_window(config, spec, fallback);
  std::fill(spec.sliding_window.begin(), spec.sliding_window.end(), window);
}

}  // namespace forge::models
