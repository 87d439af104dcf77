#include "tests/simt/half_math.h"

#include <bit>
#include <cmath>

#include "forge/base/float16.h"

namespace forge::simt {
namespace {

// The value as a float whose last bit says whether anything was lost below it (round to odd): a
// second rounding to 8 or 11 bits then is as if it were the only one. Boldo & Melquiond 2008.
float to_odd(double exact_or_odd) {
  const float nearest = static_cast<float>(exact_or_odd);
  if (std::isnan(nearest) || std::isinf(nearest) || static_cast<double>(nearest) == exact_or_odd) {
    return nearest;
  }
  uint32_t bits = std::bit_cast<uint32_t>(nearest);
  if ((bits & 1u) != 0) return nearest;
  const bool is_too_large = std::fabs(static_cast<double>(nearest)) > std::fabs(exact_or_odd);
  return std::bit_cast<float>(is_too_large ? bits - 1 : bits + 1);
}

// a * b + c with a last bit that is odd where the sum is not exact. The product of two halves is
// exact in double.
double fma_to_odd(double product, double c) {
  const double sum = product + c;
  if (std::isnan(sum) || std::isinf(sum)) return sum;
  const double back = sum - product;  // Knuth's two-sum: what the rounding lost
  const double lost = (product - (sum - back)) + (c - back);
  uint64_t bits = std::bit_cast<uint64_t>(sum);
  if (lost == 0.0 || (bits & 1u) != 0) return sum;
  const bool is_too_large = (lost < 0.0) == (sum > 0.0);
  return std::bit_cast<double>(is_too_large ? bits - 1 : bits + 1);
}

template <typename Widen, typename Narrow>
uint32_t fma_pair(uint32_t a, uint32_t b, uint32_t c, Widen widen, Narrow narrow) {
  uint32_t result = 0;
  for (int shift = 0; shift < 32; shift += 16) {
    const auto of = [&](uint32_t pair) {
      return static_cast<double>(widen(static_cast<uint16_t>(pair >> shift & 0xFFFFu)));
    };
    const float odd = to_odd(fma_to_odd(of(a) * of(b), of(c)));
    result |= static_cast<uint32_t>(narrow(odd)) << shift;
  }
  return result;
}

}  // namespace

float bf16_of(uint32_t bits) { return bf16_to_f32(static_cast<uint16_t>(bits)); }
float f16_of(uint32_t bits) { return f16_to_f32(static_cast<uint16_t>(bits)); }
uint32_t pack_bf16(float low, float high) {
  return f32_to_bf16(low) | static_cast<uint32_t>(f32_to_bf16(high)) << 16;
}
uint32_t pack_f16(float low, float high) {
  return f32_to_f16(low) | static_cast<uint32_t>(f32_to_f16(high)) << 16;
}
uint32_t round_tf32(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return 0x7FFFE000u;
  return (bits + 0x1000u) & 0xFFFFE000u;
}
uint32_t fma_bf16x2(uint32_t a, uint32_t b, uint32_t c) {
  return fma_pair(a, b, c, bf16_to_f32, f32_to_bf16);
}
uint32_t fma_f16x2(uint32_t a, uint32_t b, uint32_t c) {
  return fma_pair(a, b, c, f16_to_f32, f32_to_f16);
}

}  // namespace forge::simt
