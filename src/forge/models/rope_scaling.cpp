#include "forge/models/rope_scaling.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace forge::models {
namespace {

// theta^(2i / rotary_dim), the wavelengths over 2 pi.
std::vector<float> powers(const RopeConfig& config) {
  const auto theta = static_cast<float>(config.theta);
  const auto dim = static_cast<float>(config.rotary_dim);
  std::vector<float> result(static_cast<size_t>(config.rotary_dim / 2));
  for (size_t i = 0; i < result.size(); ++i) {
    result[i] = std::pow(theta, static_cast<float>(2 * i) / dim);
  }
  return result;
}

std::vector<float> plain(const RopeConfig& config) {
  std::vector<float> inv_freq = powers(config);
  for (float& f : inv_freq) f = 1.0f / f;
  return inv_freq;
}

std::vector<float> divided(std::vector<float> inv_freq, const std::vector<float>& divisors) {
  for (size_t i = 0; i < inv_freq.size(); ++i) inv_freq[i] /= divisors[i];
  return inv_freq;
}

std::vector<float> stretched(const RopeConfig& config, const std::vector<float>& factors) {
  std::vector<float> inv_freq = powers(config);
  for (size_t i = 0; i < inv_freq.size(); ++i) inv_freq[i] = 1.0f / (factors[i] * inv_freq[i]);
  return inv_freq;
}

std::vector<float> llama3(const RopeConfig& config) {
  const auto factor = static_cast<float>(*config.factor);
  const auto context = static_cast<float>(config.original_context);
  const auto longest = static_cast<float>(config.original_context / config.low_freq_factor);
  const auto shortest = static_cast<float>(config.original_context / config.high_freq_factor);
  const auto low = static_cast<float>(config.low_freq_factor);
  const auto width = static_cast<float>(config.high_freq_factor - config.low_freq_factor);
  std::vector<float> inv_freq = plain(config);
  for (float& f : inv_freq) {
    const float wavelength = static_cast<float>(2.0 * std::numbers::pi) / f;
    if (wavelength > longest) {
      f = f / factor;
    } else if (!(wavelength < shortest)) {
      const float smooth = (context / wavelength - low) / width;
      f = (1.0f - smooth) * f / factor + smooth * f;
    }
  }
  return inv_freq;
}

// The dimension whose frequency turns n_rotations times within the original context.
double yarn_dimension(const RopeConfig& config, double n_rotations) {
  const double turns = config.original_context / (n_rotations * 2.0 * std::numbers::pi);
  return config.rotary_dim * std::log(turns) / (2.0 * std::log(config.theta));
}

std::vector<float> yarn(const RopeConfig& config, double factor) {
  double low = yarn_dimension(config, config.beta_fast);
  double high = yarn_dimension(config, config.beta_slow);
  if (config.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, config.rotary_dim - 1.0);
  if (low == high) high += 0.001;  // as the reference: no division by zero
  const auto start = static_cast<float>(low);
  const auto width = static_cast<float>(high - low);
  std::vector<float> inv_freq = powers(config);
  for (size_t i = 0; i < inv_freq.size(); ++i) {
    const float ramp = std::clamp((static_cast<float>(i) - start) / width, 0.0f, 1.0f);
    const float keep = 1.0f - ramp;
    const float extrapolated = 1.0f / inv_freq[i];
    const float interpolated = 1.0f / (static_cast<float>(factor) * inv_freq[i]);
    inv_freq[i] = interpolated * (1.0f - keep) + extrapolated * keep;
  }
  return inv_freq;
}

double yarn_attention(const RopeConfig& config, double factor) {
  const auto scale = [factor](double weight) {
    return factor <= 1.0 ? 1.0 : 0.1 * weight * std::log(factor) + 1.0;
  };
  if (config.attention_factor) return *config.attention_factor;
  const double weight = config.mscale.value_or(0.0);
  const double all_dim = config.mscale_all_dim.value_or(0.0);
  return weight != 0.0 && all_dim != 0.0 ? scale(weight) / scale(all_dim) : scale(1.0);
}

double longrope_attention(const RopeConfig& config, double factor) {
  if (config.attention_factor) return *config.attention_factor;
  if (factor <= 1.0) return 1.0;
  return std::sqrt(1.0 + std::log(factor) / std::log(config.original_context));
}

Status check_divisors(const std::vector<float>& values, int32_t rotary_dim, const char* what) {
  if (values.size() != static_cast<size_t>(rotary_dim / 2)) {
    return make_error("{}: {} values, expected {} (half of {} rotary dimensions)", what,
                      values.size(), rotary_dim / 2, rotary_dim);
  }
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i]) || values[i] <= 0.0f) {
      return make_error("{}: value {} is {}, expected a number above 0", what, i, values[i]);
    }
  }
  return {};
}

Status check(const RopeConfig& config) {
  if (config.rotary_dim <= 0 || config.rotary_dim % 2 != 0) {
    return make_error("rotary dimensions: {}, expected an even number above 0", config.rotary_dim);
  }
  if (!std::isfinite(config.theta) || config.theta <= 1.0) {
    return make_error("rope theta: {}, expected a number above 1", config.theta);
  }
  if (config.factor && !(*config.factor > 0.0)) {
    return make_error("rope scaling factor: {}, expected a number above 0", *config.factor);
  }
  const bool needs_factor =
      config.scaling == RopeScaling::kLinear || config.scaling == RopeScaling::kLlama3;
  if (needs_factor && !config.factor) return Error{"rope scaling factor: required and missing"};
  const bool needs_original = config.scaling == RopeScaling::kLlama3 ||
                              config.scaling == RopeScaling::kYarn ||
                              config.scaling == RopeScaling::kLongrope;
  // Two positions at least: the logarithm of the original context is a divisor.
  if (needs_original && (config.original_context < 2 || config.context_len < 1)) {
    return make_error("rope scaling: original context {} of {}, expected at least 2",
                      config.original_context, config.context_len);
  }
  if (config.attention_factor && !(*config.attention_factor > 0.0)) {
    return make_error("rope attention factor: {}, expected a number above 0",
                      *config.attention_factor);
  }
  if (config.scaling == RopeScaling::kLlama3 &&
      !(config.low_freq_factor > 0.0 && config.high_freq_factor > config.low_freq_factor)) {
    return make_error(
        "llama3 rope scaling: low_freq_factor {}, high_freq_factor {}: expected 0 < "
        "low < high",
        config.low_freq_factor, config.high_freq_factor);
  }
  if (config.scaling == RopeScaling::kYarn &&
      !(config.beta_slow > 0.0 && config.beta_fast >= config.beta_slow)) {
    return make_error("yarn rope scaling: beta_slow {}, beta_fast {}: expected 0 < slow <= fast",
                      config.beta_slow, config.beta_fast);
  }
  if (config.scaling == RopeScaling::kLongrope) {
    FORGE_TRY_STATUS(check_divisors(config.short_factors, config.rotary_dim, "short rope factors"));
    FORGE_TRY_STATUS(check_divisors(config.long_factors, config.rotary_dim, "long rope factors"));
  }
  if (config.scaling == RopeScaling::kDivisors) {
    FORGE_TRY_STATUS(check_divisors(config.divisors, config.rotary_dim, "rope frequency divisors"));
  }
  return {};
}

// Settings that pass one by one may still leave f32 together (a factor of 1e-300).
Status check_result(const RopeSpec& rope) {
  for (const std::vector<float>* set : {&rope.inv_freq, &rope.long_inv_freq}) {
    for (size_t i = 0; i < set->size(); ++i) {
      if (std::isfinite((*set)[i])) continue;
      return make_error("rope frequency {} is {} ({}), expected a finite number", i, (*set)[i],
                        rope.description);
    }
  }
  if (!std::isfinite(rope.attention_scale) || rope.attention_scale <= 0.0f) {
    return make_error("rope attention scale is {} ({}), expected a number above 0",
                      rope.attention_scale, rope.description);
  }
  return {};
}

}  // namespace

Result<RopeSpec> make_rope(const RopeConfig& config) {
  FORGE_TRY_STATUS(check(config));
  RopeSpec rope;
  rope.layout = config.layout;
  rope.rotary_dim = config.rotary_dim;
  rope.description = fmt::format("theta {}", config.theta);
  rope.config = config;
  const double implied = config.original_context == 0
                             ? 1.0
                             : static_cast<double>(config.context_len) / config.original_context;
  const double factor = config.factor.value_or(implied);
  double attention = 1.0;
  switch (config.scaling) {
    case RopeScaling::kNone:
      rope.inv_freq = plain(config);
      break;
    case RopeScaling::kLinear:
      rope.inv_freq = plain(config);
      for (float& f : rope.inv_freq) f /= static_cast<float>(factor);
      rope.description += fmt::format(", linear scaling by {}", factor);
      break;
    case RopeScaling::kLlama3:
      rope.inv_freq = llama3(config);
      rope.description += fmt::format(", llama3 scaling by {} from a context of {}", factor,
                                      config.original_context);
      break;
    case RopeScaling::kYarn:
      rope.inv_freq = yarn(config, factor);
      attention = yarn_attention(config, factor);
      rope.description +=
          fmt::format(", yarn scaling by {} from a context of {}", factor, config.original_context);
      break;
    case RopeScaling::kLongrope:
      rope.inv_freq = stretched(config, config.short_factors);
      rope.long_inv_freq = stretched(config, config.long_factors);
      rope.original_context = config.original_context;
      attention = longrope_attention(config, factor);
      rope.description +=
          fmt::format(", longrope, long factors above {} tokens", config.original_context);
      break;
    case RopeScaling::kDivisors:
      rope.inv_freq = divided(plain(config), config.divisors);
      rope.description += ", one divisor per frequency";
      break;
  }
  rope.attention_scale = static_cast<float>(attention);
  FORGE_TRY_STATUS(check_result(rope));
  return rope;
}

}  // namespace forge::models
