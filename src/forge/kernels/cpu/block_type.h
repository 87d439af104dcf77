// From a DType to the struct of its blocks.
#pragma once

#include "forge/base/check.h"
#include "forge/tensor/blocks.h"

namespace forge::kernels::cpu {

/// Calls f with a null pointer to the block type of a quantised dtype.
template <class F>
void with_block(DType dtype, F&& f) {
  switch (dtype) {
#define FORGE_BLOCK(type) \
  case DType::k##type:    \
    return f(static_cast<Block##type*>(nullptr));
    FORGE_BLOCK(Q4_0)
    FORGE_BLOCK(Q4_1)
    FORGE_BLOCK(Q5_0)
    FORGE_BLOCK(Q5_1)
    FORGE_BLOCK(Q8_0)
    FORGE_BLOCK(Q2_K)
    FORGE_BLOCK(Q3_K)
    FORGE_BLOCK(Q4_K)
    FORGE_BLOCK(Q5_K)
    FORGE_BLOCK(Q6_K)
    FORGE_BLOCK(Q8_K)
    FORGE_BLOCK(IQ4_NL)
    FORGE_BLOCK(IQ4_XS)
    FORGE_BLOCK(MXFP4)
#undef FORGE_BLOCK
    case DType::kF32:
    case DType::kF16:
    case DType::kBF16:
      break;
  }
  FORGE_CHECK(false, "{} has no blocks", name(dtype));
}

}  // namespace forge::kernels::cpu
