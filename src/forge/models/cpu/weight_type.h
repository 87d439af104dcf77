// In which type a matrix is packed.
#pragma once

#include <cstdint>
#include <optional>

#include "forge/tensor/dtype.h"

namespace forge::models::cpu {

/// The matrix's own type, or what `quantize` makes of it: only F32, F16 and BF16 matrices are
/// converted, never a quantised one a second time. Rows of k elements that `wanted` does not divide
/// into blocks get the type that llama.cpp's converter takes instead (Q2_K, Q3_K, IQ4_XS: IQ4_NL;
/// Q4_K: Q5_0; Q5_K: Q5_1; Q6_K, Q8_K: Q8_0), and rows that are no multiple of 32 stay as they are.
[[nodiscard]] DType packed_type(DType own, int64_t k, std::optional<DType> quantize);

}  // namespace forge::models::cpu
