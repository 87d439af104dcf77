// From the bytes of a cache to B operands: what a lane reads of a head block, and the numbers that
// its codes are, without their scale.
//
// Lane (g, t) of a group of 32 dimensions (16 of 4 bytes) reads 8 (4) neighbouring codes of a key,
// and 4 neighbouring tokens of a dimension of the values.
#pragma once

#include <type_traits>

#include "forge/kernels/cuda/attention/kv_cache.h"
#include "forge/kernels/cuda/device/memory.h"
#include "forge/kernels/cuda/device/product.h"
#include "forge/kernels/cuda/weights/packed_matrix.h"

namespace forge::kernels::cuda {

/// Scales of a lane's 4 tokens.
struct TokenScales {
  float of[4];
  FORGE_DEVICE void load(const std::byte* scales, int t) {
    const Words4 words = load_as<Words4>(scales + t * 16);
    FORGE_UNROLL
    for (int i = 0; i < 4; ++i) of[i] = bits_as_float(words.w[i]);
  }
};

/// The pair of an even and an odd code in bits 0-7 and 16-23.
template <typename Product, KvType Type>
FORGE_DEVICE uint32_t expand_codes(uint32_t codes) {
  if constexpr (Type == KvType::kInt8) return Product::from_biased_bytes(codes);
  // e4m3's bits within those of Product, off by a power of two which the product puts right, also
  // for subnormal numbers: 2^(127 - 7) or 2^(15 - 7).
  if constexpr (std::is_same_v<Product, Bf16>) {
    return Product::fma((codes & 0x00800080u) << 8 | (codes & 0x007F007Fu) << 4, 0x7B807B80u, 0u);
  } else {
    return Product::fma((codes & 0x00800080u) << 8 | (codes & 0x007F007Fu) << 7, 0x5C005C00u, 0u);
  }
}

/// In f16 a weight times an 8-bit type's scale could be too small: values are read in units that
/// bring the scale near the largest value, and the scales times them.
template <typename Product, KvType Type>
inline constexpr float kValueUnit = !Product::kIsNarrow || Type == KvType::kPlain ? 1.0f
                                    : Type == KvType::kFp8                        ? 256.0f
                                                                                  : 128.0f;

template <typename Product, KvType Type>
FORGE_DEVICE uint32_t expand_values(uint32_t codes) {
  if constexpr (!Product::kIsNarrow) return expand_codes<Product, Type>(codes);
  // Exact: 2^-7 (1024 + n - 1152), and e4m3's bits within f16's, which are 2^-8 of it.
  if constexpr (Type == KvType::kInt8) {
    return Product::fma((codes & 0x00FF00FFu) | Product::kMagic, 0x20002000u, 0xC880C880u);
  } else {
    return (codes & 0x00800080u) << 8 | (codes & 0x007F007Fu) << 7;
  }
}

template <typename Product, KvType Type>
struct CacheRead {
  static constexpr bool kHasScales = Type != KvType::kPlain;
  static constexpr int kCodeBytes = kv_code_bytes(Type, Product::kType);
  /// Of a row of keys in a group.
  static constexpr int kKeyBytes = kHasScales ? 32 : kGroupBytes;
  static constexpr int kValueBytes = 4 * kCodeBytes;
  using KeyWords = std::conditional_t<kHasScales, Words2, Words4>;
  using ValueWords =
      std::conditional_t<kHasScales, uint32_t, std::conditional_t<kCodeBytes == 2, Words2, Words4>>;

  /// The first half of a lane's dimensions is one instruction's, the other half the next one's.
  FORGE_DEVICE static FragmentB keys(const KeyWords& words, int block) {
    if constexpr (kHasScales) {
      const uint32_t codes = words.w[block];
      return {{expand_codes<Product, Type>(codes & 0x00FF00FFu),
               expand_codes<Product, Type>(codes >> 8 & 0x00FF00FFu)}};
    } else {
      return {{words.w[2 * block], words.w[2 * block + 1]}};
    }
  }
  /// Likewise of tokens, of 4 bytes; others have one instruction. In units of kValueUnit.
  FORGE_DEVICE static FragmentB values(const ValueWords& words, int part) {
    if constexpr (kHasScales) {
      return {{expand_values<Product, Type>(words & 0x00FF00FFu),
               expand_values<Product, Type>(words >> 8 & 0x00FF00FFu)}};
    } else {
      return {{words.w[2 * part], words.w[2 * part + 1]}};
    }
  }
};

}  // namespace forge::kernels::cuda
