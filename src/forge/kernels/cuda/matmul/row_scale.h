// How the residual stream, which has the range of f32, fits into f16 before its norm is known.
//
// bf16 needs none of this: h * weight is stored as it is. For f16 who writes NormOut::scaled
// divides 16 columns of a token by a power of two that their own sum of squares gives, and who
// reads them brings all of a token to the one that the whole row's sum gives:
//
//   e(s): the least e with 2^e > sqrt(s) for all s of a binade
//   stored  = h * weight * 2^(kUnitExponent - e(tile))                          rounded to f16
//   read    = stored * 2^(e(tile) - e(row))          exact, or beneath f16's smallest numbers
//   result *= 2^(e(row) - kUnitExponent) / rms
//
// Both have the sums, which the norm needs anyway (NormIn), so nothing is stored beside them. |h|
// is below 2^e(tile), and e(tile) <= e(row), since a sum in f32 of what is not negative is not less
// than any of it: nothing overflows while |weight| <= 1023. What is lost are numbers in tiles
// beneath 2^-24 of the row's norm: f32 sums lose them beside the others, too.
#pragma once

#include "forge/kernels/cuda/device/memory.h"
#include "forge/kernels/cuda/device/product.h"

namespace forge::kernels::cuda {

inline constexpr int kUnitExponent = 6;

FORGE_DEVICE int root_exponent(float sum_of_squares) {
  const int exponent = static_cast<int>(float_as_bits(sum_of_squares) >> 23 & 255u) - 127;
  return (exponent >> 1) + 1;
}
/// 2^exponent, -126 .. 127.
FORGE_DEVICE float power_of_two(int exponent) {
  return bits_as_float(static_cast<uint32_t>(exponent + 127) << 23);
}

/// What h * weight is multiplied by; squares: of the 16 columns.
template <typename Product>
FORGE_DEVICE float tile_scale(float squares) {
  if constexpr (Product::kIsNarrow) return power_of_two(kUnitExponent - root_exponent(squares));
  return 1.0f;
}

/// Brings 8 stored values of a tile to their row's exponent.
template <typename Product>
FORGE_DEVICE void bring_to_row(Words4& x, float squares, int row_exponent) {
  const int below = root_exponent(squares) - row_exponent;
  const uint32_t factor = Product::twice(power_of_two(below > -126 ? below : -126));
  FORGE_UNROLL
  for (int i = 0; i < 4; ++i) x.w[i] = Product::fma(x.w[i], factor, 0u);
}

}  // namespace forge::kernels::cuda
