// The two 16-bit types that products are computed in, behind one interface.
#pragma once

#include "forge/kernels/cuda/device/math.h"
#include "forge/kernels/cuda/device/mma.h"
#include "forge/kernels/cuda/half_type.h"

namespace forge::kernels::cuda {

/// bf16: 8 bits of significand. 128 + n, n < 128, has n in its lowest bits.
struct Bf16 {
  /// The range is smaller than that of numbers that a model has (matmul/row_scale.h).
  static constexpr bool kIsNarrow = false;
  static constexpr uint32_t kMagic = 0x43004300u;  // 128, twice
  static constexpr uint32_t kOne = 0x3F803F80u;
  static constexpr float kLargest = 0x1.FEp127f;
  FORGE_DEVICE static uint32_t pack(float low, float high) { return pack_bf16(low, high); }
  FORGE_DEVICE static float low(uint32_t pair) { return bf16_low(pair); }
  FORGE_DEVICE static float high(uint32_t pair) { return bf16_high(pair); }
  FORGE_DEVICE static uint32_t fma(uint32_t a, uint32_t b, uint32_t c) {
    return fma_bf16x2(a, b, c);
  }
  /// The pair (value, value) of a small whole number.
  FORGE_DEVICE static uint32_t twice(float value) { return pack_bf16(value, value); }
  /// From unsigned bytes in bits 0-7 and 16-23, with 128 added to each: their values, exact.
  FORGE_DEVICE static uint32_t from_biased_bytes(uint32_t bytes) {
    // The 8th bit falls on the exponent's lowest: 256 + rest reads as twice what it should, so the
    // bias that is taken off is 128 without that bit and 256 with it.
    const uint32_t low_bits = (bytes & 0x007F007Fu) | kMagic;
    const uint32_t bias = ((bytes & 0x00800080u) ^ 0x00800080u) | kMagic;
    return fma_bf16x2(bias, 0xBF80BF80u, low_bits);
  }
  FORGE_DEVICE static void mma(FragmentD& d, const FragmentA& a, const FragmentB& b) {
    mma_bf16(d, a, b);
  }
};

/// f16: 11 bits of significand. 1024 + n, n < 1024, has n in its lowest bits.
struct F16 {
  static constexpr bool kIsNarrow = true;
  static constexpr uint32_t kMagic = 0x64006400u;  // 1024, twice
  static constexpr uint32_t kOne = 0x3C003C00u;
  static constexpr float kLargest = 65504.0f;
  FORGE_DEVICE static uint32_t pack(float low, float high) { return pack_f16(low, high); }
  FORGE_DEVICE static float low(uint32_t pair) { return f16_low(pair); }
  FORGE_DEVICE static float high(uint32_t pair) { return f16_high(pair); }
  FORGE_DEVICE static uint32_t fma(uint32_t a, uint32_t b, uint32_t c) {
    return fma_f16x2(a, b, c);
  }
  FORGE_DEVICE static uint32_t twice(float value) { return pack_f16(value, value); }
  FORGE_DEVICE static uint32_t from_biased_bytes(uint32_t bytes) {
    return fma_f16x2((bytes & 0x00FF00FFu) | kMagic, kOne, 0xE480E480u);  // less 1152
  }
  FORGE_DEVICE static void mma(FragmentD& d, const FragmentA& a, const FragmentB& b) {
    mma_f16(d, a, b);
  }
};

/// Calls f with a value of the struct that is this type.
template <typename F>
auto with_half(HalfType type, const F& f) {
  return type == HalfType::kF16 ? f(F16{}) : f(Bf16{});
}

}  // namespace forge::kernels::cuda
