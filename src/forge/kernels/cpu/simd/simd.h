// The SIMD wrapper of the level being compiled. Level code (kernels/cpu/level/) is written on it
// and compiled once per level in a namespace of its own.
//
// A vector has kLanes 32-bit lanes. A 64-byte cell, or 16 floats, is kParts vectors: kLanes = 16 /
// 8 / 4 and kParts = 1 / 2 / 4 for AVX-512 / AVX2 / NEON and scalar. The functions every level
// defines, with the same meaning, are in avx512.h.
//
// Levels must not share inline functions, or the linker may keep one compiled for another machine:
// level code uses no std:: function, only plain types, builtins and what it defines in its
// namespace.
#pragma once

#include <cstddef>
#include <cstdint>

// levels.cmake leaves the choice to the compiler for the scalar level under sanitizers, which take
// minutes over everything in one function.
#ifndef FORGE_INLINE
#define FORGE_INLINE [[gnu::always_inline]] inline
#endif

#if defined(FORGE_SIMD_AVX512)
#include "forge/kernels/cpu/simd/avx512.h"
#elif defined(FORGE_SIMD_AVX2)
#include "forge/kernels/cpu/simd/avx2.h"
#elif defined(FORGE_SIMD_NEON)
#include "forge/kernels/cpu/simd/neon.h"
#else
#include "forge/kernels/cpu/simd/scalar.h"
#endif

namespace forge::kernels::cpu::FORGE_LEVEL {

inline constexpr int kParts = 16 / kLanes;
inline constexpr int kPartBytes = 4 * kLanes;

/// Nothing moves across: keeps the compiler from hoisting loads of the next sub-block and spilling.
FORGE_INLINE void compiler_barrier() { asm volatile("" ::: "memory"); }

}  // namespace forge::kernels::cpu::FORGE_LEVEL
