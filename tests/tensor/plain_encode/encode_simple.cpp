// Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 and Q8_K: one pass for the range, one for the codes, no search.
//
// Byte-identical to ggml's quantize_row_*_ref, which is why the codes come from the scale before it
// is rounded to f16, and why the largest value may be negative in "max / -8".
#include <algorithm>
#include <cmath>

#include "forge/base/float16.h"
#include "tests/tensor/plain_encode/encode_blocks.h"

namespace forge::plain {
namespace {

constexpr float kMaxHalf = 65504.0f;

// The value of largest magnitude, the first of equals, with its sign.
float peak_of(const float* values, int n) {
  float amax = 0.0f;
  float peak = 0.0f;
  for (int i = 0; i < n; ++i) {
    if (amax < std::fabs(values[i])) {
      amax = std::fabs(values[i]);
      peak = values[i];
    }
  }
  return peak;
}

// 1 / d, or 0 where d is so small that this is infinite: such a block decodes to zero anyway.
float reciprocal(float d) {
  const float inverse = 1.0f / d;
  return std::isfinite(inverse) ? inverse : 0.0f;
}

// Limits the scale to what f16 holds. The negated test also catches infinity minus infinity.
float saturated(float value) {
  return std::fabs(value) <= kMaxHalf ? value : std::copysign(kMaxHalf, value);
}

// Truncates into 0..kMaxCode; not-a-number becomes 0, so the cast is always defined.
template <int kMaxCode>
int truncated(float v) {
  return static_cast<int>(std::min(static_cast<float>(kMaxCode), std::max(0.0f, v)));
}

void set_low_bits(uint8_t* qs, int i, int code) {
  qs[i % 16] = static_cast<uint8_t>(qs[i % 16] | ((code & 0xF) << (4 * (i / 16))));
}

void set_fifth_bit(uint8_t* qh, int i, int code) {
  qh[i / 8] = static_cast<uint8_t>(qh[i / 8] | ((code >> 4) << (i % 8)));
}

}  // namespace

void encode_block(const float* values, BlockQ4_0& block) {
  const float d = saturated(peak_of(values, 32) / -8.0f);
  const float inverse = reciprocal(d);
  block = {.d = f32_to_f16(d), .qs = {}};
  for (int i = 0; i < 32; ++i) set_low_bits(block.qs, i, truncated<15>(values[i] * inverse + 8.5f));
}

void encode_block(const float* values, BlockQ5_0& block) {
  const float d = saturated(peak_of(values, 32) / -16.0f);
  const float inverse = reciprocal(d);
  block = {.d = f32_to_f16(d), .qh = {}, .qs = {}};
  for (int i = 0; i < 32; ++i) {
    const int code = truncated<31>(values[i] * inverse + 16.5f);
    set_low_bits(block.qs, i, code);
    set_fifth_bit(block.qh, i, code);
  }
}

void encode_block(const float* values, BlockQ4_1& block) {
  const float low = *std::min_element(values, values + 32);
  const float high = *std::max_element(values, values + 32);
  const float m = saturated(low);
  const float d = saturated((high - low) / 15.0f);
  const float inverse = reciprocal(d);
  block = {.d = f32_to_f16(d), .m = f32_to_f16(m), .qs = {}};
  for (int i = 0; i < 32; ++i) {
    set_low_bits(block.qs, i, truncated<15>((values[i] - m) * inverse + 0.5f));
  }
}

void encode_block(const float* values, BlockQ5_1& block) {
  const float low = *std::min_element(values, values + 32);
  const float high = *std::max_element(values, values + 32);
  const float m = saturated(low);
  const float d = saturated((high - low) / 31.0f);
  const float inverse = reciprocal(d);
  block = {.d = f32_to_f16(d), .m = f32_to_f16(m), .qh = {}, .qs = {}};
  for (int i = 0; i < 32; ++i) {
    const int code = truncated<31>((values[i] - m) * inverse + 0.5f);
    set_low_bits(block.qs, i, code);
    set_fifth_bit(block.qh, i, code);
  }
}

void encode_block(const float* values, BlockQ8_0& block) {
  const float d = saturated(std::fabs(peak_of(values, 32)) / 127.0f);
  const float inverse = reciprocal(d);
  block.d = f32_to_f16(d);
  for (int i = 0; i < 32; ++i) {
    const float code = std::round(values[i] * inverse);  // ties away from zero
    block.qs[i] = static_cast<int8_t>(std::min(127.0f, std::max(-127.0f, code)));
  }
}

void encode_block(const float* values, BlockQ8_K& block) {
  block = {};
  const float peak = peak_of(values, BlockQ8_K::kLen);
  const float inverse = -127.0f / peak;
  if (!std::isfinite(inverse)) return;  // zero, or below 4e-37
  for (int i = 0; i < BlockQ8_K::kLen; ++i) {
    const float code = std::nearbyint(values[i] * inverse);  // ties to even
    block.qs[i] = static_cast<int8_t>(std::min(127.0f, std::max(-127.0f, code)));
    block.bsums[i / 16] = static_cast<int16_t>(block.bsums[i / 16] + block.qs[i]);
  }
  block.d = 1.0f / inverse;
  // Near the largest float, rounding up would make the peak infinite.
  if (!std::isfinite(127.0f * block.d)) block.d = std::nextafter(block.d, 0.0f);
}

}  // namespace forge::plain
