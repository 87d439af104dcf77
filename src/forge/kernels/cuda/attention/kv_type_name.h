// What the types of a device's KV cache are called.
#pragma once

#include <optional>
#include <string_view>

#include "forge/kernels/cuda/attention/kv_cache.h"

namespace forge::kernels::cuda {

/// "bf16", "fp8" or "int8".
[[nodiscard]] constexpr std::string_view name(KvType type) {
  switch (type) {
    case KvType::kHalf:
      return "bf16";
    case KvType::kFp8:
      return "fp8";
    case KvType::kInt8:
      break;
  }
  return "int8";
}
[[nodiscard]] constexpr std::optional<KvType> kv_type_from_name(std::string_view text) {
  for (const KvType type : {KvType::kHalf, KvType::kFp8, KvType::kInt8}) {
    if (name(type) == text) return type;
  }
  return std::nullopt;
}

}  // namespace forge::kernels::cuda
