// The frequencies of rotary position embedding under every scaling method Forge knows.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "forge/base/result.h"
#include "forge/models/model_spec.h"

namespace forge::models {

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

/// Works out inv_freq and attention_scale in f32, operation for operation as transformers does (its
/// modeling_rope_utils.py); the power function may differ from PyTorch's in the last bit.
/// Fails where a number makes no sense, in words that the caller puts a file name before.
///
/// longrope has two sets of frequencies. transformers takes the long one for a whole sequence as
/// soon as it is longer than original_context, and generate() starts over with an empty cache when
/// a sequence crosses that length, so the choice is a function of the sequence's length and of
/// nothing else. (llama.cpp and vLLM choose once, by the context the server is configured for, and
/// so disagree with transformers on short prompts under a long context.) Forge follows
/// transformers: SequenceRows::use_long_rope says which set a sequence uses and the engine
/// recomputes the cache when it crosses. All keys of a sequence thus always come from one set,
/// which is what makes prefill in chunks equal prefill at once: the flag is that of the whole
/// prompt, not of the chunk.
[[nodiscard]] Result<RopeSpec> make_rope(const RopeConfig& config);

}  // namespace forge::models
