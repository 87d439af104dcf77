#include "forge/models/gguf_config_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace forge::models {
namespace {

class Writer {
 public:
  Writer(const ModelSpec& spec, const std::string& origin, formats::GgufWriter& out)
      : spec_(spec), rope_(spec.rope.config), origin_(origin), out_(out) {}

  Result<std::vector<RopeFactors>> write() {
    if (spec_.activation != Activation::kSilu) {
      return refused("an activation other than SiLU");
    }
    FORGE_TRY_STATUS(put_sizes());
    FORGE_TRY_STATUS(put_rope());
    return std::move(factors_);
  }

 private:
  [[nodiscard]] std::string key(std::string_view name) const {
    return fmt::format("{}.{}", gguf_architecture(spec_), name);
  }
  void put(std::string_view name, int32_t value) {
    out_.put_uint32(key(name), static_cast<uint32_t>(value));
  }
  void put_real(std::string_view name, double value) {
    out_.put_float32(key(name), static_cast<float>(value));
  }
  [[nodiscard]] Error refused(std::string_view what) const {
    return make_error("{}: has {}, which a GGUF file of architecture {} cannot say", origin_, what,
                      gguf_architecture(spec_));
  }

  Status put_sizes() {
    out_.put_string("general.architecture", gguf_architecture(spec_));
    put("block_count", spec_.n_layers);
    put("context_length", spec_.context_len);
    put("embedding_length", spec_.hidden_dim);
    put("feed_forward_length", spec_.ffn_dim);
    put("attention.head_count", spec_.n_heads);
    put("attention.head_count_kv", spec_.n_kv_heads);
    put("attention.key_length", spec_.head_dim);
    put("attention.value_length", spec_.head_dim);
    put_real("attention.layer_norm_rms_epsilon", static_cast<double>(spec_.norm_eps));
    put("vocab_size", spec_.vocab_size);
    const std::vector<int32_t>& windows = spec_.sliding_window;
    const auto is_other = [&windows](int32_t window) { return window != windows.front(); };
    if (std::ranges::any_of(windows, is_other)) {
      return refused("a sliding window in some layers only");
    }
    if (windows.front() > 0) put("attention.sliding_window", windows.front());
    return {};
  }

  Status put_rope() {
    put("rope.dimension_count", rope_.rotary_dim);
    put_real("rope.freq_base", rope_.theta);
    switch (rope_.scaling) {
      case RopeScaling::kNone:
        return {};
      case RopeScaling::kLinear:
        out_.put_string(key("rope.scaling.type"), "linear");
        put_real("rope.scaling.factor", rope_.factor.value_or(1.0));
        return {};
      case RopeScaling::kLlama3:
        factors_.push_back({"rope_freqs.weight", llama3_divisors()});
        return {};
      case RopeScaling::kDivisors:
        factors_.push_back({"rope_freqs.weight", rope_.divisors});
        return {};
      case RopeScaling::kYarn:
        return put_yarn();
      case RopeScaling::kLongrope:
        put("rope.scaling.original_context_length", rope_.original_context);
        put_real("rope.scaling.attn_factor", static_cast<double>(spec_.rope.attention_scale));
        factors_.push_back({"rope_factors_long.weight", rope_.long_factors});
        factors_.push_back({"rope_factors_short.weight", rope_.short_factors});
        return {};
    }
    return {};
  }

  Status put_yarn() {
    if (rope_.attention_factor || rope_.mscale || rope_.mscale_all_dim || !rope_.truncate) {
      return refused("yarn scaling with an attention factor, mscale or truncate of its own");
    }
    const double implied = static_cast<double>(rope_.context_len) / rope_.original_context;
    out_.put_string(key("rope.scaling.type"), "yarn");
    put_real("rope.scaling.factor", rope_.factor.value_or(implied));
    put("rope.scaling.original_context_length", rope_.original_context);
    const RopeConfig defaults;
    if (rope_.beta_fast != defaults.beta_fast) {
      put_real("rope.scaling.yarn_beta_fast", rope_.beta_fast);
    }
    if (rope_.beta_slow != defaults.beta_slow) {
      put_real("rope.scaling.yarn_beta_slow", rope_.beta_slow);
    }
    return {};
  }

  // In double, rounded once, as the converter has them.
  [[nodiscard]] std::vector<float> llama3_divisors() const {
    const double context = rope_.original_context;
    const double factor = rope_.factor.value_or(1.0);
    std::vector<float> divisors;
    for (int32_t i = 0; i < rope_.rotary_dim; i += 2) {
      const double exponent = static_cast<double>(i) / rope_.rotary_dim;
      const double wavelength = 2.0 * std::numbers::pi * std::pow(rope_.theta, exponent);
      double divisor = 1.0;
      if (wavelength > context / rope_.low_freq_factor) {
        divisor = factor;
      } else if (!(wavelength < context / rope_.high_freq_factor)) {
        const double smooth = (context / wavelength - rope_.low_freq_factor) /
                              (rope_.high_freq_factor - rope_.low_freq_factor);
        divisor = 1.0 / ((1.0 - smooth) / factor + smooth);
      }
      divisors.push_back(static_cast<float>(divisor));
    }
    return divisors;
  }

  const ModelSpec& spec_;
  const RopeConfig& rope_;
  const std::string& origin_;
  formats::GgufWriter& out_;
  std::vector<RopeFactors> factors_;
};

}  // namespace

std::string_view gguf_architecture(const ModelSpec& spec) {
  return spec.architecture == "mistral" ? std::string_view("llama") : spec.architecture;
}

bool gguf_rotates_pairs(const ModelSpec& spec) { return gguf_architecture(spec) == "llama"; }

Result<std::vector<RopeFactors>> put_gguf_config(const ModelSpec& spec, const std::string& origin,
                                                 formats::GgufWriter& writer) {
  return Writer(spec, origin, writer).write();
}

}  // namespace forge::models
