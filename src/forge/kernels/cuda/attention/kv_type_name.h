// What the types of a device's KV cache are called.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "forge/kernels/cuda/attention/kv_cache.h"

namespace forge::kernels::cuda {

/// "fp8", "int8", or what products are computed in: "bf16", "f16", "tf32" or "f32".
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
/// Those that there are beside products of this type: "bf16, fp8 or int8"; of 4 bytes their own.
[[nodiscard]] inline std::string kv_type_names(HalfType half) {
  return std::string(name(half)) + (element_bytes(half) == 4 ? "" : ", fp8 or int8");
}
/// One of them.
[[nodiscard]] constexpr std::optional<KvType> kv_type_from_name(std::string_view text,
                                                                HalfType half) {
  for (const KvType type : {KvType::kHalf, KvType::kFp8, KvType::kInt8}) {
    if (type != KvType::kHalf && element_bytes(half) == 4) break;
    if (name(type, half) == text) return type;
  }
  return std::nullopt;
}
/// Beside products of some type.
[[nodiscard]] constexpr std::optional<KvType> kv_type_from_name(std::string_view text) {
  for (const HalfType half : {HalfType::kBf16, HalfType::kF16, HalfType::kTf32, HalfType::kF32}) {
    if (const auto type = kv_type_from_name(text, half)) return type;
  }
  return std::nullopt;
}

}  // namespace forge::kernels::cuda
