#include "forge/tensor/block_scale.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "forge/base/float16.h"

namespace forge {
namespace {

// 2^exponent, of a normal number.
double power_of_two(int exponent) {
  return std::bit_cast<double>(static_cast<uint64_t>(exponent + 1023) << 52);
}

}  // namespace

BlockScale scale_of(int32_t peak_bits) {
  if (peak_bits == 0 || peak_bits >= 0x7F800000) return {};
  const int exponent = std::ilogb(std::bit_cast<float>(peak_bits));
  const int half = -exponent / 2;
  return {.exponent = exponent,
          .is_zero = false,
          .first = static_cast<float>(power_of_two(half)),
          .second = static_cast<float>(power_of_two(-exponent - half))};
}

StoredHalf store_half(double scale, int exponent) {
  constexpr double kMaxHalf = 65504.0;
  constexpr double kMinHalf = 0x1p-24;
  const double real = scale * power_of_two(exponent);
  double magnitude = std::min(std::fabs(real), kMaxHalf);
  if (magnitude > 0.0) magnitude = std::max(magnitude, kMinHalf);
  const uint16_t bits = f32_to_f16(static_cast<float>(std::copysign(magnitude, real)));
  const double value = static_cast<double>(f16_to_f32(bits)) * power_of_two(-exponent);
  return {.bits = bits, .value = static_cast<float>(value)};
}

}  // namespace forge
