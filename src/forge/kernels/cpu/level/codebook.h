// The codebooks as unsigned bytes: value plus the offset of packed_format.h.
#pragma once

#include <cstdint>

#include "forge/kernels/cpu/simd/simd.h"

namespace forge::kernels::cpu::FORGE_LEVEL {

/// kIQ4Values + 128.
inline constexpr uint8_t kIq4Codebook[16] = {1,   24,  45,  63,  79,  93,  106, 118,
                                             129, 141, 153, 166, 181, 197, 217, 241};
/// kFp4DoubledValues + 16.
inline constexpr uint8_t kFp4Codebook[16] = {16, 17, 18, 19, 20, 22, 24, 28,
                                             16, 15, 14, 13, 12, 10, 8,  4};

}  // namespace forge::kernels::cpu::FORGE_LEVEL
