// What a checkpoint's config says about rotary position embedding, before anything is worked out.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace forge::models {

/// Which pairs of a head's dimensions rotate together.
/// kHalves: (i, i + rotary_dim / 2), as Hugging Face checkpoints hold q and k.
/// kPairs:  (2i, 2i + 1), as llama-type GGUF files hold them (rows permuted by their converter).
enum class RopeLayout { kHalves, kPairs };

enum class RopeScaling {
  kNone,    // theta alone
  kLinear,  // all frequencies divided by factor
  kLlama3,  // low frequencies divided, a ramp between. Source: Llama 3.1's reference code
  kYarn,    // ramp by rotations within the original context. Source: Peng et al., arXiv:2309.00071
  kLongrope,  // one factor per frequency, two sets of them. Source: Ding et al., arXiv:2402.13753
  kDivisors,  // one divisor per frequency (GGUF's rope_freqs.weight: llama3 scaling worked out)
};

/// What a config says about rotary embedding. Fields a method does not name are not looked at.
struct RopeConfig {
  RopeLayout layout = RopeLayout::kHalves;
  RopeScaling scaling = RopeScaling::kNone;
  double theta = 10000.0;
  int32_t rotary_dim = 0;
  int32_t context_len = 0;            // yarn, longrope: gives factor where that is absent
  int32_t original_context = 0;       // llama3, yarn, longrope: the context of pre-training
  std::optional<double> factor = {};  // linear, llama3: required
  double low_freq_factor = 0.0;       // llama3
  double high_freq_factor = 0.0;
  std::optional<double> attention_factor = {};  // yarn, longrope: given instead of derived
  double beta_fast = 32.0;                      // yarn
  double beta_slow = 1.0;
  std::optional<double> mscale = {};
  std::optional<double> mscale_all_dim = {};
  bool truncate = true;                   // yarn: round the ramp's ends to whole dimensions
  std::vector<float> short_factors = {};  // longrope, (rotary_dim / 2) each
  std::vector<float> long_factors = {};
  std::vector<float> divisors = {};  // kDivisors, (rotary_dim / 2)
};

}  // namespace forge::models
