// mma.sync.m16n8k16 from the documented fragment layout.
#pragma once

#include <cstdint>

#include "tests/simt/simt.h"

namespace forge::simt {

enum class HalfKind { kBf16, kF16 };

/// d (in and out): this lane's part of D. Products are exact, their sum with d is taken in double
/// and rounded once; hardware truncates within the sum, so its last bits differ.
void mma_m16n8k16(HalfKind kind, const uint32_t (&a)[4], const uint32_t (&b)[2], float (&d)[4],
                  Where where);

}  // namespace forge::simt
