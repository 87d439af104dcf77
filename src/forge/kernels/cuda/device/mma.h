// The matrix instruction: D = A B + D on fragments that the lanes of a warp hold.
//
// m16n8k16 of 16-bit numbers. With g = lane / 4 and t = lane % 4, a register holds two neighbours,
// the first one low:
//
//   A (16, 16)  a[0] = (g, 2t)   a[1] = (g + 8, 2t)   a[2] = (g, 2t + 8)   a[3] = (g + 8, 2t + 8)
//   B (16, 8)   b[0] = (2t, g)   b[1] = (2t + 8, g)                        neighbours along k
//   D (16, 8)   d[0] = (g, 2t)   d[1] = (g, 2t + 1)   d[2] = (g + 8, 2t)   d[3] = (g + 8, 2t + 1)
//
// m16n8k8 of TF32, one number a register, of which the lowest 13 bits are not looked at; D as
// above:
//
//   A (16, 8)   a[0] = (g, t)    a[1] = (g + 8, t)    a[2] = (g, t + 4)    a[3] = (g + 8, t + 4)
//   B (8, 8)    b[0] = (t, g)    b[1] = (t + 4, g)
//
// Column n of D depends on column n of B only, and row m on row m of A: a token's result has the
// same bits whatever is in the other columns. The order within the sum of 16 or 8 products is the
// hardware's. Reference: PTX ISA, "Matrix Fragments for mma.m16n8k16 with floating point type" and
// "mma.m16n8k8".
#pragma once

#include "forge/kernels/cuda/device/platform.h"

namespace forge::kernels::cuda {

struct FragmentA {
  uint32_t w[4];
};
struct FragmentB {
  uint32_t w[2];
};
struct FragmentD {
  float v[4];
};

#if defined(FORGE_SIMT)

FORGE_DEVICE void mma_bf16(FragmentD& d, const FragmentA& a, const FragmentB& b,
                           simt::Where where = simt::Where::current()) {
  simt::mma_m16n8k16(simt::HalfKind::kBf16, a.w, b.w, d.v, where);
}
FORGE_DEVICE void mma_f16(FragmentD& d, const FragmentA& a, const FragmentB& b,
                          simt::Where where = simt::Where::current()) {
  simt::mma_m16n8k16(simt::HalfKind::kF16, a.w, b.w, d.v, where);
}

FORGE_DEVICE void mma_tf32(FragmentD& d, const FragmentA& a, const FragmentB& b,
                           simt::Where where = simt::Where::current()) {
  simt::mma_m16n8k8(a.w, b.w, d.v, where);
}

#else

FORGE_DEVICE void mma_bf16(FragmentD& d, const FragmentA& a, const FragmentB& b) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d.v[0]), "+f"(d.v[1]), "+f"(d.v[2]), "+f"(d.v[3])
      : "r"(a.w[0]), "r"(a.w[1]), "r"(a.w[2]), "r"(a.w[3]), "r"(b.w[0]), "r"(b.w[1]));
}
FORGE_DEVICE void mma_f16(FragmentD& d, const FragmentA& a, const FragmentB& b) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d.v[0]), "+f"(d.v[1]), "+f"(d.v[2]), "+f"(d.v[3])
      : "r"(a.w[0]), "r"(a.w[1]), "r"(a.w[2]), "r"(a.w[3]), "r"(b.w[0]), "r"(b.w[1]));
}
FORGE_DEVICE void mma_tf32(FragmentD& d, const FragmentA& a, const FragmentB& b) {
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d.v[0]), "+f"(d.v[1]), "+f"(d.v[2]), "+f"(d.v[3])
      : "r"(a.w[0]), "r"(a.w[1]), "r"(a.w[2]), "r"(a.w[3]), "r"(b.w[0]), "r"(b.w[1]));
}

#endif

}  // namespace forge::kernels::cuda
