// The type that products on a device are computed in. Plain data, for host and device.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace forge::kernels::cuda {

/// Sums are f32 with all of them.
enum class ProductType : uint8_t {
  kBf16,
  kF16,   // 3 bits more of each number; ends at 65504
  kTf32,  // the same 11 bits with f32's range, in 4 bytes
  kF32,   // each number as two of kTf32
};

/// "bf16", "f16", "tf32" or "f32".
[[nodiscard]] constexpr std::string_view name(ProductType type) {
  switch (type) {
    case ProductType::kBf16:
      return "bf16";
    case ProductType::kF16:
      return "f16";
    case ProductType::kTf32:
      return "tf32";
    case ProductType::kF32:
      break;
  }
  return "f32";
}

[[nodiscard]] constexpr std::optional<ProductType> product_type_from_name(std::string_view text) {
  for (const ProductType type :
       {ProductType::kBf16, ProductType::kF16, ProductType::kTf32, ProductType::kF32}) {
    if (name(type) == text) return type;
  }
  return std::nullopt;
}

/// Of a number in memory.
[[nodiscard]] constexpr int32_t element_bytes(ProductType type) {
  return type == ProductType::kTf32 || type == ProductType::kF32 ? 4 : 2;
}

}  // namespace forge::kernels::cuda
