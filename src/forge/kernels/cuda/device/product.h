// The types that products are computed in, behind one interface.
//
// Numbers lie in memory as they go into the matrix instruction: two 16-bit ones in a word, or one
// of 4 bytes. A lane's two words of a row are its part of a FragmentB, two rows of them of a
// FragmentA, whatever the type: 4 columns of 16-bit numbers, of which the instruction takes 16, or
// 2 of 4 bytes, of which it takes 8 (device/mma.h).
#pragma once

#include <type_traits>

#include "forge/kernels/cuda/device/math.h"
#include "forge/kernels/cuda/device/memory.h"
#include "forge/kernels/cuda/device/mma.h"
#include "forge/kernels/cuda/product_type.h"

namespace forge::kernels::cuda {

/// bf16: 8 bits of significand. 128 + n, n < 128, has n in its lowest bits.
struct Bf16 {
  static constexpr ProductType kType = ProductType::kBf16;
  static constexpr int kPerWord = 2;
  /// The range is smaller than that of numbers that a model has (matmul/row_scale.h).
  static constexpr bool kIsNarrow = false;
  /// Numbers are cut in two where they are multiplied, which takes registers.
  static constexpr bool kIsSplit = false;
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
  static constexpr ProductType kType = ProductType::kF16;
  static constexpr int kPerWord = 2;
  static constexpr bool kIsNarrow = true;
  static constexpr bool kIsSplit = false;
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

/// TF32: 11 bits of significand, the exponents of f32. Numbers are rounded where they are written.
struct Tf32 {
  static constexpr ProductType kType = ProductType::kTf32;
  static constexpr int kPerWord = 1;
  static constexpr bool kIsNarrow = false;
  static constexpr bool kIsSplit = false;
  static constexpr uint32_t kOne = 0x3F800000u;
  static constexpr float kLargest = 0x1.FFCp127f;
  FORGE_DEVICE static uint32_t pack(float value) { return round_tf32(value); }
  FORGE_DEVICE static void mma(FragmentD& d, const FragmentA& a, const FragmentB& b) {
    mma_tf32(d, a, b);
  }
};

/// f32 by three products of TF32: x is high + low, 11 bits each, and low * low is left away, 2^-22
/// of the product. Each instruction's sum begins at zero and is added in f32: the matrix units cut
/// sums off where f32 rounds, which over a long row would be the largest error.
/// Source: Ootomo & Yokota 2022, arXiv:2203.03341.
struct F32 {
  static constexpr ProductType kType = ProductType::kF32;
  static constexpr int kPerWord = 1;
  static constexpr bool kIsNarrow = false;
  static constexpr bool kIsSplit = true;
  static constexpr uint32_t kOne = 0x3F800000u;
  static constexpr float kLargest = Tf32::kLargest;  // above, `high` would be infinite
  FORGE_DEVICE static uint32_t pack(float value) { return float_as_bits(value); }
  FORGE_DEVICE static void mma(FragmentD& d, const FragmentA& a, const FragmentB& b) {
    FragmentA a_high, a_low;
    FragmentB b_high, b_low;
    FORGE_UNROLL
    for (int i = 0; i < 4; ++i) split_f32(a.w[i], a_high.w[i], a_low.w[i]);
    FORGE_UNROLL
    for (int i = 0; i < 2; ++i) split_f32(b.w[i], b_high.w[i], b_low.w[i]);
    FragmentD sum = {};
    mma_tf32(sum, a_low, b_high);
    mma_tf32(sum, a_high, b_low);
    mma_tf32(sum, a_high, b_high);
    FORGE_UNROLL
    for (int i = 0; i < 4; ++i) d.v[i] += sum.v[i];
  }
};

/// A number as its bits in memory.
template <typename Product>
using Element = std::conditional_t<Product::kPerWord == 2, uint16_t, uint32_t>;

template <typename Product>
FORGE_DEVICE Element<Product> to_element(float value) {
  if constexpr (Product::kPerWord == 2) {
    return static_cast<uint16_t>(Product::pack(value, 0.0f));
  } else {
    return Product::pack(value);
  }
}
/// The word of values[0] and, of 16 bits, values[1].
template <typename Product>
FORGE_DEVICE uint32_t to_word(const float* values) {
  if constexpr (Product::kPerWord == 2) {
    return Product::pack(values[0], values[1]);
  } else {
    return Product::pack(values[0]);
  }
}
/// Number i of a word.
template <typename Product>
FORGE_DEVICE float from_word(uint32_t word, int i) {
  if constexpr (Product::kPerWord == 2) {
    return i == 0 ? Product::low(word) : Product::high(word);
  } else {
    return bits_as_float(word);
  }
}

/// 16 bytes' worth of numbers.
template <typename Product>
inline constexpr int kPerWords4 = 4 * Product::kPerWord;
template <typename Product>
FORGE_DEVICE Words4 to_words4(const float (&values)[kPerWords4<Product>]) {
  Words4 words;
  FORGE_UNROLL
  for (int i = 0; i < 4; ++i) words.w[i] = to_word<Product>(values + i * Product::kPerWord);
  return words;
}
/// Two or four neighbours in one store; to: aligned to them.
template <typename Product, int N>
FORGE_DEVICE void store_elements(Element<Product>* to, const float (&values)[N]) {
  constexpr int kWords = N / Product::kPerWord;
  uint32_t words[kWords];
  FORGE_UNROLL
  for (int i = 0; i < kWords; ++i) words[i] = to_word<Product>(values + i * Product::kPerWord);
  if constexpr (kWords == 1) {
    *reinterpret_cast<uint32_t*>(to) = words[0];
  } else if constexpr (kWords == 2) {
    *reinterpret_cast<Words2*>(to) = {{words[0], words[1]}};
  } else {
    static_assert(kWords == 4);
    *reinterpret_cast<Words4*>(to) = {{words[0], words[1], words[2], words[3]}};
  }
}

/// Calls f with a value of the struct that is this type.
template <typename F>
auto with_product_type(ProductType type, const F& f) {
  switch (type) {
    case ProductType::kBf16:
      return f(Bf16{});
    case ProductType::kF16:
      return f(F16{});
    case ProductType::kTf32:
      return f(Tf32{});
    case ProductType::kF32:
      break;
  }
  return f(F32{});
}
/// Of those of 16 bits.
template <typename F>
auto with_half(ProductType type, const F& f) {
  return type == ProductType::kF16 ? f(F16{}) : f(Bf16{});
}

}  // namespace forge::kernels::cuda
