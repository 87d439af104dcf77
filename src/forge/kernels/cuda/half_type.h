// The type that products on a device are computed in. Plain data, for host and device.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace forge::kernels::cuda {

/// Sums are f32 with all of them.
enum class HalfType : uint8_t {
  kBf16,
  kF16,   // 3 bits more of each number; ends at 65504
  kTf32,  // the same 11 bits with f32's range, in 4 bytes
  kF32,   // each number as two of kTf32
};

/// "bf16", "f16", "tf32" or "f32".
[[nodiscard]] constexpr std::string_view name(HalfType type) {
  switch (type) {
    case HalfType::kBf16:
      return "bf16";
    case HalfType::kF16:
      return "f16";
    case HalfType::kTf32:
      return "tf32";
    case HalfType::kF32:
      break;
  }
  return "f32";
}

[[nodiscard]] constexpr std::optional<HalfType> half_type_from_name(std::string_view text) {
  for (const HalfType type : {HalfType::kBf16, HalfType::kF16, HalfType::kTf32, HalfType::kF32}) {
    if (name(type) == text) return type;
  }
  return std::nullopt;
}

/// Of a number in memory.
[[nodiscard]] constexpr int32_t element_bytes(HalfType type) {
  return type == HalfType::kTf32 || type == HalfType::kF32 ? 4 : 2;
}

}  // namespace forge::kernels::cuda
