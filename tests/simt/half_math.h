// bf16 and f16 arithmetic of the device, bit for bit: one rounding, to nearest, ties to even; and
// TF32's conversion.
#pragma once

#include <cstdint>

namespace forge::simt {

[[nodiscard]] float bf16_of(uint32_t bits);
[[nodiscard]] float f16_of(uint32_t bits);
[[nodiscard]] uint32_t pack_bf16(float low, float high);
[[nodiscard]] uint32_t pack_f16(float low, float high);
/// cvt.rna.tf32.f32: to nearest, ties away from zero. What is not a number stays one.
[[nodiscard]] uint32_t round_tf32(float value);
/// a * b + c of both halves.
[[nodiscard]] uint32_t fma_bf16x2(uint32_t a, uint32_t b, uint32_t c);
[[nodiscard]] uint32_t fma_f16x2(uint32_t a, uint32_t b, uint32_t c);

}  // namespace forge::simt
