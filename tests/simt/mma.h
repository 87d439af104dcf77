// mma.sync.m16n8k16 and m16n8k8 (TF32) from the documented fragment layouts.
#pragma once

#include <cstdint>

#include "tests/simt/simt.h"

namespace forge::simt {

enum class HalfKind { kBf16, kF16 };

/// d (in and out): this lane's part of D. Products are exact, their sum with d is taken in double
/// and rounded once; hardware truncates within the sum, so its last bits differ.
void mma_m16n8k16(HalfKind kind, const uint32_t (&a)[4], const uint32_t (&b)[2], float (&d)[4],
                  Where where);

/// Likewise; the lowest 13 bits of the words of a and b are not looked at, so that what was not
/// rounded to TF32 is cut off.
void mma_m16n8k8(const uint32_t (&a)[4], const uint32_t (&b)[2], float (&d)[4], Where where);

}  // namespace forge::simt
