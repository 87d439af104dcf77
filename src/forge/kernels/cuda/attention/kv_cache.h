// How keys and values lie in a device's cache. Plain data, for host and device.
//
// A cache block holds kKvBlock tokens of one layer's keys or values: a head block for each kv head,
// contiguous, so that one tile of a head is four runs of bytes:
//
//   keys    kKvBlock rows of head_dim codes: a token's row is what one lane group multiplies
//   values  head_dim rows of kKvBlock codes: transposed, as the second product reads them
//   scales  8-bit types only: kKvBlock f32, one a token, after the codes; number = code * scale
//
//   type   a code                                           order within 4 neighbours
//   kPlain  the type that products are computed in           as they are
//   kFp8   e4m3, scale = max|x| / 448                       0, 2, 1, 3
//   kInt8  round(x / scale) + 128, scale = max|x| / 127     0, 2, 1, 3
//
// Beside products of 4 bytes there is kPlain only.
//
// Dimensions are padded with zeros. Values are finite, whatever was appended, so that what a former
// owner left in a block cannot harm who does not look at it; the pool starts as zeros. So are keys,
// with one exception: what f16 has no room for, of a token's keys or values, must not be silent, so
// in a cache of f16 that head's key is NaN, and so becomes everything that looks at it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "forge/kernels/cuda/product_type.h"

namespace forge::kernels::cuda {

inline constexpr int32_t kKvBlock = 16;  // tokens of a cache block: kBlockLen
inline constexpr int32_t kMaxHeadDim = 256;

enum class KvType : uint8_t { kPlain, kFp8, kInt8 };

/// Dimensions of a head in the cache: what the kernels are built for. 0 above kMaxHeadDim.
constexpr int32_t padded_head_dim(int32_t head_dim) {
  constexpr int32_t kSizes[] = {32, 64, 96, 128, kMaxHeadDim};
  for (const int32_t size : kSizes) {
    if (head_dim <= size) return size;
  }
  return 0;
}

/// product_type: what products are computed in.
constexpr int32_t kv_code_bytes(KvType type, ProductType product_type) {
  return type == KvType::kPlain ? element_bytes(product_type) : 1;
}

/// Bytes of one head's keys in a block; its values have as many. padded: a padded_head_dim().
constexpr int32_t kv_head_block_bytes(KvType type, ProductType product_type, int32_t padded) {
  const int32_t scales = type == KvType::kPlain ? 0 : kKvBlock * 4;
  return kKvBlock * padded * kv_code_bytes(type, product_type) + scales;
}

/// Bytes of one layer's keys of one block; its values have as many. head_dim: the model's.
constexpr int64_t kv_block_bytes(KvType type, ProductType product_type, int32_t n_kv_heads,
                                 int32_t head_dim) {
  return int64_t{n_kv_heads} * kv_head_block_bytes(type, product_type, padded_head_dim(head_dim));
}

/// One layer's keys and values: (n_blocks, n_kv_heads) head blocks each, blocks block_bytes apart
/// (at least kv_block_bytes(), a multiple of 16), both 16-byte aligned, less than 32 GB each.
struct KvLayer {
  KvType type = KvType::kPlain;
  std::byte* keys = nullptr;
  std::byte* values = nullptr;
  int64_t block_bytes = 0;
  ProductType product_type = ProductType::kBf16;  // that products are computed in
};

}  // namespace forge::kernels::cuda
