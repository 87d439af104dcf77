#include "tests/tensor/plain_encode/scale_search.h"

#include <algorithm>
#include <cmath>

#include "forge/base/check.h"
#include "forge/base/float16.h"

namespace forge::plain {

NormalisedBlock normalise(std::span<const float> values) {
  NormalisedBlock block;
  FORGE_CHECK(values.size() <= block.values.size(), "{} values", values.size());
  float amax = 0.0f;
  bool is_finite = true;
  for (const float v : values) {
    amax = std::max(amax, std::fabs(v));
    is_finite = is_finite && std::isfinite(v);
  }
  if (amax == 0.0f || !is_finite) return block;
  block.is_zero = false;
  block.exponent = std::ilogb(amax);
  // Two factors, because 2^149 alone does not fit an f32.
  const float first = std::ldexp(1.0f, -block.exponent / 2);
  const float second = std::ldexp(1.0f, -block.exponent - (-block.exponent / 2));
  for (size_t i = 0; i < values.size(); ++i) block.values[i] = values[i] * first * second;
  return block;
}

StoredHalf store_half(double scale, int exponent) {
  constexpr double kMaxHalf = 65504.0;
  constexpr double kMinHalf = 0x1p-24;
  const double real = std::ldexp(scale, exponent);
  double magnitude = std::min(std::fabs(real), kMaxHalf);
  if (magnitude > 0.0) magnitude = std::max(magnitude, kMinHalf);
  const uint16_t bits = f32_to_f16(static_cast<float>(std::copysign(magnitude, real)));
  const double value = std::ldexp(static_cast<double>(f16_to_f32(bits)), -exponent);
  return {.bits = bits, .value = static_cast<float>(value)};
}

}  // namespace forge::plain
