// What a packed weight must be, from the block structs of tensor/ and double: number * scale + min,
// with scale and min rounded to the type of products, and rounded once to it. Numbers of that type
// are bits here, as many as it has.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "forge/base/float16.h"
#include "forge/kernels/cuda/product_type.h"
#include "forge/tensor/blocks.h"
#include "forge/tensor/decode.h"

namespace forge::kernels::cuda {

/// The number of the type nearest to a value within its range, ties to even; of TF32 away from
/// zero.
inline double to_half(double value, ProductType product_type = ProductType::kBf16) {
  int exponent = 0;
  (void)std::frexp(value, &exponent);
  if (product_type == ProductType::kF32) return static_cast<double>(static_cast<float>(value));
  // Of the last bit; subnormals share theirs.
  const int unit = product_type == ProductType::kBf16   ? std::max(exponent - 8, -133)
                   : product_type == ProductType::kTf32 ? std::max(exponent - 11, -136)
                                                        : std::max(exponent - 11, -24);
  if (product_type == ProductType::kTf32)
    return std::ldexp(std::round(std::ldexp(value, -unit)), unit);
  return std::ldexp(std::nearbyint(std::ldexp(value, -unit)), unit);
}

/// The number that bits are, and the bits of the nearest one.
inline double half_number(uint32_t bits, ProductType product_type) {
  if (element_bytes(product_type) == 4) return static_cast<double>(std::bit_cast<float>(bits));
  const auto low = static_cast<uint16_t>(bits);
  return static_cast<double>(product_type == ProductType::kF16 ? f16_to_f32(low)
                                                               : bf16_to_f32(low));
}
inline uint32_t half_bits(float value, ProductType product_type) {
  if (element_bytes(product_type) == 4) {
    return std::bit_cast<uint32_t>(
        static_cast<float>(to_half(static_cast<double>(value), product_type)));
  }
  return product_type == ProductType::kF16 ? f32_to_f16(value) : f32_to_bf16(value);
}

/// Numbers as they lie in memory, and back. All ones, which nobody computes: not written.
inline std::vector<std::byte> to_elements(const std::vector<uint32_t>& bits,
                                          ProductType product_type) {
  const auto size = static_cast<size_t>(element_bytes(product_type));
  std::vector<std::byte> bytes(bits.size() * size);
  for (size_t i = 0; i < bits.size(); ++i) std::memcpy(&bytes[i * size], &bits[i], size);
  return bytes;
}
inline std::vector<uint32_t> from_elements(const std::vector<std::byte>& bytes,
                                           ProductType product_type) {
  const auto size = static_cast<size_t>(element_bytes(product_type));
  std::vector<uint32_t> bits(bytes.size() / size, 0);
  for (size_t i = 0; i < bits.size(); ++i) std::memcpy(&bits[i], &bytes[i * size], size);
  return bits;
}
inline uint32_t unwritten(ProductType product_type) {
  return element_bytes(product_type) == 4 ? 0xFFFFFFFFu : 0xFFFFu;
}

struct WeightParts {
  double number = 0.0;
  double scale = 0.0;
  double min = 0.0;

  [[nodiscard]] double packed(ProductType product_type = ProductType::kBf16) const {
    return to_half(number * to_half(scale, product_type) + to_half(min, product_type),
                   product_type);
  }
};

template <typename Block>
WeightParts parts_of_block(const std::byte* row, int64_t column) {
  Block block;
  std::memcpy(&block, row + column / Block::kLen * static_cast<int64_t>(sizeof(Block)),
              sizeof(Block));
  const auto i = static_cast<int>(column % Block::kLen);
  WeightParts parts;
  parts.number = block.code(i);
  if constexpr (std::is_same_v<Block, BlockQ8_K>) {
    parts.scale = static_cast<double>(block.d);
  } else {
    parts.scale = static_cast<double>(f16_to_f32(block.d));
  }
  if constexpr (requires { block.m; }) parts.min = static_cast<double>(f16_to_f32(block.m));
  if constexpr (requires { block.dmin; }) {
    parts.scale *= block.scale(i / 32);
    parts.min = -static_cast<double>(f16_to_f32(block.dmin)) * block.min(i / 32);
  }
  if constexpr (std::is_same_v<Block, BlockQ6_K>) parts.scale *= block.scale(i / 16);
  if constexpr (std::is_same_v<Block, BlockQ4_0>) parts.number -= 8;
  if constexpr (std::is_same_v<Block, BlockQ5_0>) parts.number -= 16;
  if constexpr (std::is_same_v<Block, BlockQ6_K>) parts.number -= 32;
  return parts;
}

/// Of element `column` of a row of any type that has a packed form.
inline WeightParts parts_of(DType dtype, const std::byte* row, int64_t column) {
  switch (dtype) {
    case DType::kQ4_0:
      return parts_of_block<BlockQ4_0>(row, column);
    case DType::kQ4_1:
      return parts_of_block<BlockQ4_1>(row, column);
    case DType::kQ5_0:
      return parts_of_block<BlockQ5_0>(row, column);
    case DType::kQ5_1:
      return parts_of_block<BlockQ5_1>(row, column);
    case DType::kQ8_0:
      return parts_of_block<BlockQ8_0>(row, column);
    case DType::kQ4_K:
      return parts_of_block<BlockQ4_K>(row, column);
    case DType::kQ5_K:
      return parts_of_block<BlockQ5_K>(row, column);
    case DType::kQ6_K:
      return parts_of_block<BlockQ6_K>(row, column);
    case DType::kQ8_K:
      return parts_of_block<BlockQ8_K>(row, column);
    default:
      break;
  }
  float value = 0.0f;
  decode(dtype, row + *row_bytes(dtype, column), 1, &value);
  return {.number = 1.0, .scale = static_cast<double>(value)};
}

}  // namespace forge::kernels::cuda
