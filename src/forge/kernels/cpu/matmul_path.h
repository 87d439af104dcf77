// Which loops and instructions a matrix product runs on: for logs and benchmarks.
#pragma once

#include <string_view>

#include "forge/kernels/cpu/isa.h"
#include "forge/tensor/dtype.h"

namespace forge::kernels::cpu {

/// How weights of a type are multiplied at a level. The texts are for people: "int8 dot, fused".
struct MatmulPath {
  std::string_view few_tokens;   // one token or a few: decode
  std::string_view many_tokens;  // prompts
  /// False where the type has no vector kernel at the level: it works, slowly, and a log or a
  /// benchmark should say so.
  bool is_fast;
};

[[nodiscard]] MatmulPath matmul_path(IsaLevel level, DType dtype);

}  // namespace forge::kernels::cpu
