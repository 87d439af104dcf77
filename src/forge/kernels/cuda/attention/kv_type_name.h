// What the types of a device's KV cache are called.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "forge/kernels/cuda/attention/kv_cache.h"

namespace forge::kernels::cuda {

/// "fp8", "int8", or what products are computed in: "bf16", "f16", "tf32" or "f32".
[[nodiscard]] constexpr std::string_view name(KvType type, ProductType product_type) {
  switch (type) {
    case KvType::kPlain:
      return name(product_type);
    case KvType::kFp8:
      return "fp8";
    case KvType::kInt8:
      break;
  }
  return "int8";
}
/// Those that there are beside products of this type: "bf16, fp8 or int8"; of 4 bytes their own.
[[nodiscard]] inline std::string kv_type_names(ProductType product_type) {
  return std::string(name(product_type)) +
         (element_bytes(product_type) == 4 ? "" : ", fp8 or int8");
}
/// One of them.
[[nodiscard]] constexpr std::optional<KvType> kv_type_from_name(std::string_view text,
                                                                ProductType product_type) {
  for (const KvType type : {KvType::kPlain, KvType::kFp8, KvType::kInt8}) {
    if (type != KvType::kPlain && element_bytes(product_type) == 4) break;
    if (name(type, product_type) == text) return type;
  }
  return std::nullopt;
}
/// Beside products of some type.
[[nodiscard]] constexpr std::optional<KvType> kv_type_from_name(std::string_view text) {
  for (const ProductType product_type :
       {ProductType::kBf16, ProductType::kF16, ProductType::kTf32, ProductType::kF32}) {
    if (const auto type = kv_type_from_name(text, product_type)) return type;
  }
  return std::nullopt;
}

}  // namespace forge::kernels::cuda
