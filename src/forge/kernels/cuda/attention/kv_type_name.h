// What the types of a device's KV cache are called.
#pragma once

#include <optional>
#include <string_view>

#include "forge/kernels/cuda/attention/kv_cache.h"

namespace forge::kernels::cuda {

/// "fp8", "int8", or what products are computed in: "bf16" or "f16".
[[nodiscard]] constexpr std::string_view name(KvType type, HalfType half) {
  switch (type) {
    case KvType::kHalf:
      return name(half);
    case KvType::kFp8:
      return "fp8";
    case KvType::kInt8:
      break;
  }
  return "int8";
}
/// Beside products of this type.
[[nodiscard]] constexpr std::optional<KvType> kv_type_from_name(std::string_view text,
                                                                HalfType half) {
  for (const KvType type : {KvType::kHalf, KvType::kFp8, KvType::kInt8}) {
    if (name(type, half) == text) return type;
  }
  return std::nullopt;
}
/// Beside products of some type.
[[nodiscard]] constexpr std::optional<KvType> kv_type_from_name(std::string_view text) {
  if (const auto type = kv_type_from_name(text, HalfType::kBf16)) return type;
  return kv_type_from_name(text, HalfType::kF16);
}

}  // namespace forge::kernels::cuda
