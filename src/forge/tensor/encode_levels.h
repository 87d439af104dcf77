// The encoders, and the decoder of f16, at each width of vector that this program was built with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "forge/tensor/dtype.h"

namespace forge {

/// In ascending order of preference. All give the same bytes.
enum class EncodeLevel : uint8_t {
  kBase,    // what every machine of the architecture has
  kAvx2,    // 8 lanes
  kAvx512,  // 16 lanes: F, BW, VL, DQ
};

/// Built, and what this machine and its operating system can run; kBase is always the first.
[[nodiscard]] std::span<const EncodeLevel> usable_encode_levels();

/// The best usable one that a value of FORGE_ISA (as kernels/cpu/isa.h has it; none: the best) asks
/// for or contains. What is no level there is an error elsewhere; here it is the best.
[[nodiscard]] EncodeLevel choose_encode_level(std::optional<std::string_view> isa);

/// That of the environment's FORGE_ISA, found once.
[[nodiscard]] EncodeLevel encode_level();

/// encode() at a usable level.
void encode_at(EncodeLevel level, DType dtype, const float* values, int64_t n, std::byte* out);
/// decode() of F16.
void decode_f16_at(EncodeLevel level, const std::byte* data, int64_t n, float* out);

}  // namespace forge
