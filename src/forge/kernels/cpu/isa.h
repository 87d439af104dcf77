// Instruction-set levels of the CPU kernels: one source, compiled once per level.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "forge/base/result.h"

namespace forge::kernels::cpu {

/// In ascending order of preference inside one architecture. A level's results have the same bits
/// on every machine that has it; two levels may differ in the last bits.
enum class IsaLevel : uint8_t {
  kScalar,      // plain C++, every machine
  kAvx2,        // AVX2, FMA, F16C
  kAvxVnni,     // and the 256-bit int8 dot
  kAvx512,      // AVX-512 F, BW, VL, DQ, VNNI
  kAvx512Bf16,  // and the bf16 dot
  kAmx,         // and AMX int8 tiles, for many tokens
  kNeon,        // Armv8-A
  kDotprod,     // and the int8 dot
  kI8mm,        // and the dots of unsigned by signed bytes and of bf16
};

/// "avx512bf16" as FORGE_ISA takes it.
[[nodiscard]] std::string_view name(IsaLevel level);

/// Levels that this program was built with, ascending; kScalar is always among them.
[[nodiscard]] std::span<const IsaLevel> built_levels();

/// Whether this machine and its operating system can run a level (CPUID and XCR0, or hwcaps).
[[nodiscard]] bool is_supported(IsaLevel level);

/// The best level that is built and supported.
[[nodiscard]] IsaLevel best_level();

/// The level to use: FORGE_ISA where it is set, else best_level(). Fails where FORGE_ISA names no
/// level, or one that is not built or that this machine cannot run; the message lists the ones that
/// would do.
[[nodiscard]] Result<IsaLevel> choose_level();
/// The same for a given request; nothing means the best.
[[nodiscard]] Result<IsaLevel> choose_level(std::optional<std::string_view> requested);

}  // namespace forge::kernels::cpu
