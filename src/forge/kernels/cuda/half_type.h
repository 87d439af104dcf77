// The 16-bit type that products on a device are computed in. Plain data, for host and device.
#pragma once

#include <cstdint>
#include <string_view>

namespace forge::kernels::cuda {

/// kF16 keeps 3 bits more of each number and ends at 65504; sums are f32 with both.
enum class HalfType : uint8_t { kBf16, kF16 };

/// "bf16" or "f16".
[[nodiscard]] constexpr std::string_view name(HalfType type) {
  return type == HalfType::kF16 ? "f16" : "bf16";
}

}  // namespace forge::kernels::cuda
