// Weights of tokens, numbers proportional to their probabilities, and their order.
#pragma once

#include "forge/kernels/cuda/device/math.h"

namespace forge::kernels::cuda {

/// weight = exp((logit - max) / temperature) = 2^y, with the operations of the CPU sampler's
/// weight_of() (docs/sampling.md, "Arithmetic") and so with its bits: nothing is fused
/// (nvcc's -fmad=false).
struct Scale {
  float max = 0.0f;
  float per_logit = 0.0f;
  /// y, at most 0. Not a number where -infinity meets a per_logit of 0.
  [[nodiscard]] FORGE_DEVICE float log2_weight(float logit) const {
    return (logit - max) * per_logit;
  }
};

inline constexpr float kMinLog2Weight = -40.0f;  // a token below weighs 0

FORGE_DEVICE bool has_weight(float y) { return y >= kMinLog2Weight; }

FORGE_DEVICE float weight_of(float y) {
  if (!has_weight(y)) return 0.0f;
  constexpr float kRounder = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number
  const float rounded = y + kRounder;
  const float f = y - (rounded - kRounder);
  float power = 0x1.5bba14p-10f;
  power = power * f + 0x1.3cea88p-7f;
  power = power * f + 0x1.c6b752p-5f;
  power = power * f + 0x1.ebf9bcp-3f;
  power = power * f + 0x1.62e42ap-1f;
  power = power * f + 1.0f;
  return bits_as_float(float_as_bits(power) + (float_as_bits(rounded) << 23));
}

/// A weight as a whole number, cut off below 2^-44: whole numbers have one sum in any order.
inline constexpr float kMassOfOne = 0x1p44f;
FORGE_DEVICE uint64_t mass_of(float y) { return static_cast<uint64_t>(weight_of(y) * kMassOfOne); }

/// Ascends with the value; of -0 as of 0.
FORGE_DEVICE uint32_t ascending_bits(float value) {
  const uint32_t bits = float_as_bits(value + 0.0f);
  return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}
FORGE_DEVICE float value_of_ascending(uint32_t bits) {
  return bits_as_float((bits & 0x80000000u) != 0 ? bits & 0x7FFFFFFFu : ~bits);
}

/// A token's place: less is better. The larger logit, of equals the lower id.
inline constexpr int kRankIdBits = 24;
inline constexpr int kRankBits = 32 + kRankIdBits;
FORGE_DEVICE uint64_t rank_of(float logit, int id) {
  return uint64_t{~ascending_bits(logit)} << kRankIdBits | static_cast<uint32_t>(id);
}
FORGE_DEVICE float logit_of_rank(uint64_t rank) {
  return value_of_ascending(~static_cast<uint32_t>(rank >> kRankIdBits));
}
FORGE_DEVICE int id_of_rank(uint64_t rank) {
  return static_cast<int>(rank & ((1u << kRankIdBits) - 1));
}

/// A candidate for a maximum: the larger value, of equals the lower id.
FORGE_DEVICE uint64_t with_id(uint32_t ascending, int id) {
  return uint64_t{ascending} << 32 | ~static_cast<uint32_t>(id);
}
FORGE_DEVICE int id_of(uint64_t candidate) {
  return static_cast<int>(~static_cast<uint32_t>(candidate));
}
FORGE_DEVICE uint32_t ascending_of(uint64_t candidate) {
  return static_cast<uint32_t>(candidate >> 32);
}

}  // namespace forge::kernels::cuda
