// A head of one token into the cache, by a warp: rounding, and where its codes lie.
#pragma once

#include "forge/kernels/cuda/attention/rope.h"
#include "forge/kernels/cuda/device/product.h"

namespace forge::kernels::cuda {

/// x within [-limit, limit]; NaN becomes -limit.
FORGE_DEVICE float clamp(float x, float limit) {
  const float low = x > -limit ? x : -limit;
  return low < limit ? low : limit;
}

/// Bits of the e4m3 number nearest to x, ties to even; |x| <= 448 or little above, finite.
/// Reference: OCP 8-bit Floating Point Specification (OFP8), revision 1.0.
FORGE_DEVICE uint32_t e4m3_bits(float x) {
  const uint32_t bits = float_as_bits(x);
  const uint32_t sign = bits >> 24 & 0x80u;
  const float size = bits_as_float(bits & 0x7FFFFFFFu);
  // Below 2^-6 the steps are 2^-9, which is the last bit of a float at 2^14.
  if (size < 0.015625f) return sign | (float_as_bits(size + 16384.0f) & 0xFFu);
  const uint32_t rounded = float_as_bits(size) + 0x7FFFFu + (float_as_bits(size) >> 20 & 1u);
  const uint32_t code = (rounded >> 20) - (120u << 3);
  return sign | (code < 0x7Eu ? code : 0x7Eu);
}

/// Where 4 neighbouring 8-bit codes lie: even ones, then odd ones, so that a shift and a mask give
/// pairs of neighbours in the halves of a register.
FORGE_DEVICE int code_place(int i) { return (i & ~3) | (i >> 1 & 1) | (i & 1) << 1; }

template <typename Product>
FORGE_DEVICE Element<Product> half_code(float x) {
  return to_element<Product>(clamp(x, Product::kLargest));
}

/// Whether a cache of this type has room for a head, for all lanes of a warp.
template <typename Product, int HeadDim>
FORGE_DEVICE bool fits(const HeadRow<HeadDim>& row) {
  bool is_large = false;
  FORGE_UNROLL
  for (int i = 0; i < row.kPerLane; ++i) {
    const float size = row.x[i] < 0.0f ? -row.x[i] : row.x[i];
    is_large = is_large || !(size <= Product::kLargest);
  }
  return ballot(is_large) == 0;
}

/// Keys or values of one token and kv head. place: of the token in its block.
template <typename Product, KvType Type, int HeadDim>
FORGE_DEVICE void store_head(const HeadRow<HeadDim>& row, QkvPart part, std::byte* head_block,
                             int place, int lane) {
  const bool is_key = part == QkvPart::kKey;
  if constexpr (Type == KvType::kPlain) {
    auto* to = reinterpret_cast<Element<Product>*>(head_block) + (is_key ? place * HeadDim : place);
    FORGE_UNROLL
    for (int i = 0; i < row.kPerLane; ++i) {
      const int d = lane + i * kWarpLanes;
      if (Product::kIsNarrow && is_key) {
        to[d] = to_element<Product>(row.x[i]);
      } else {
        to[is_key ? d : d * kKvBlock] = half_code<Product>(row.x[i]);
      }
    }
  } else {
    constexpr float kLargestCode = Type == KvType::kFp8 ? 448.0f : 127.0f;
    float x[HeadRow<HeadDim>::kPerLane];
    float most = 0.0f;
    FORGE_UNROLL
    for (int i = 0; i < row.kPerLane; ++i) {
      x[i] = clamp(row.x[i], Bf16::kLargest);  // scales are f32, whatever Product is
      most = larger(most, x[i] < 0.0f ? -x[i] : x[i]);
    }
    most = max_lanes<kWarpLanes>(most);
    // Below 2^-119 the reciprocal would overflow.
    const bool is_zero = most < 1.6e-36f;
    const float inverse = is_zero ? 0.0f : kLargestCode / most;
    if (lane == 0) {
      auto* scales = reinterpret_cast<float*>(head_block + kKvBlock * HeadDim);
      scales[place] = is_zero ? 0.0f : most / kLargestCode;
    }
    auto* to = reinterpret_cast<uint8_t*>(head_block);
    FORGE_UNROLL
    for (int i = 0; i < row.kPerLane; ++i) {
      const int d = lane + i * kWarpLanes;
      uint32_t code = 0;
      if constexpr (Type == KvType::kFp8) {
        code = e4m3_bits(fused(x[i], inverse, 0.0f));
      } else {
        // 1.5 * 2^23: the sum's last bits are the rounded number.
        code = (float_as_bits(fused(x[i], inverse, 12582912.0f)) + 128u) & 0xFFu;
      }
      to[is_key ? place * HeadDim + code_place(d) : d * kKvBlock + code_place(place)] =
          static_cast<uint8_t>(code);
    }
  }
}

/// Turns and appends keys or values of a token.
template <typename Product, KvType Type, int HeadDim>
FORGE_DEVICE void append_head(const HeadShape& heads, const QkvRows& rows, const KvLayer& kv,
                              const int32_t* block_table, int token, int position, QkvPart part,
                              int kv_head, int lane) {
  HeadRow<HeadDim> row = load_head<HeadDim>(heads, rows, token, position, part, kv_head, lane);
  if constexpr (Product::kIsNarrow && Type == KvType::kPlain) {
    if (part == QkvPart::kKey) {
      const HeadRow<HeadDim> value =
          load_head<HeadDim>(heads, rows, token, position, QkvPart::kValue, kv_head, lane);
      const bool is_there = fits<Product>(row) && fits<Product>(value);
      FORGE_UNROLL
      for (int i = 0; i < row.kPerLane && !is_there; ++i) row.x[i] = NAN;
    }
  }
  std::byte* plane = part == QkvPart::kKey ? kv.keys : kv.values;
  std::byte* head_block = plane + block_table[position / kKvBlock] * kv.block_bytes +
                          kv_head * kv_head_block_bytes(Type, Product::kType, HeadDim);
  store_head<Product, Type>(row, part, head_block, position % kKvBlock, lane);
}

}  // namespace forge::kernels::cuda
