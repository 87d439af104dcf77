// f16 and bf16 bits in lanes.
#pragma once

#include "forge/tensor/level/lanes.h"

namespace forge::FORGE_TENSOR_LEVEL {

// Sums that NaN's bits make too large for an int are made without a sign.
typedef uint32_t Unsigned __attribute__((vector_size(4 * kLanes)));

/// As f32_to_f16() of base/float16.h.
FORGE_LANES_INLINE Ints to_halves(Lanes v) {
  const Ints bits = reinterpret_cast<Ints>(v);
  const Ints magnitude = bits & 0x7FFFFFFF;
  const Ints sign = (bits >> 16) & 0x8000;
  const Unsigned m = reinterpret_cast<Unsigned>(magnitude);
  const Ints normal = reinterpret_cast<Ints>((m + 0xFFFu + ((m >> 13) & 1u) - 0x38000000u) >> 13);
  // Below 2^-14: the sum leaves the rounded mantissa in the low bits.
  const Ints subnormal =
      reinterpret_cast<Ints>(reinterpret_cast<Lanes>(magnitude) + 0.5f) - 0x3F000000;
  const Ints finite = magnitude < 0x38800000 ? subnormal : normal;
  const Ints infinite =
      (Ints{} + 0x7C00) | (magnitude > 0x7F800000 ? 0x200 | ((magnitude >> 13) & 0x3FF) : Ints{});
  return sign | (magnitude >= 0x477FF000 ? infinite : finite);
}

/// As f16_to_f32().
FORGE_LANES_INLINE Lanes from_halves(Ints h) {
  const Ints sign = (h & 0x8000) << 16;
  const Ints shifted = (h & 0x7FFF) << 13;
  // Exponents from a bias of 15 to one of 127, and from 31 to 255 where they say infinity or NaN.
  const Ints number =
      shifted + (shifted >= 0x0F800000 ? Ints{} + (224 << 23) : Ints{} + (112 << 23));
  // Zero and subnormals: mantissa * 2^-24, which f32 holds exactly.
  const Lanes small = __builtin_convertvector(h & 0x3FF, Lanes) * 0x1p-24f;
  return reinterpret_cast<Lanes>(sign |
                                 (shifted < 0x00800000 ? reinterpret_cast<Ints>(small) : number));
}

/// As f32_to_bf16().
FORGE_LANES_INLINE Ints to_bf16(Lanes v) {
  const Ints bits = reinterpret_cast<Ints>(v);
  const Unsigned word = reinterpret_cast<Unsigned>(v);
  const Ints top = reinterpret_cast<Ints>(word >> 16);
  const Ints rounded = reinterpret_cast<Ints>((word + 0x7FFFu + ((word >> 16) & 1u)) >> 16);
  return (bits & 0x7FFFFFFF) > 0x7F800000 ? top | 0x40 : rounded;
}

}  // namespace forge::FORGE_TENSOR_LEVEL
