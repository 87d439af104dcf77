// Packing of F32, F16 and BF16 rows (packed_format.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "forge/tensor/dtype.h"

namespace forge::kernels::cpu {

/// One panel of up to 16 rows of k elements to panel_bytes(dtype, k) bytes; missing rows and
/// columns become zeros.
void pack_float_panel(DType dtype, const std::byte* const* rows, int n_rows, int64_t k,
                      std::byte* out);

}  // namespace forge::kernels::cpu
