// Reference: linear layer, decoding one weight row at a time.
#pragma once

#include <cstdint>
#include <span>

#include "forge/tensor/view.h"

namespace forge::kernels::ref {

/// Output features [begin, end) of kernels/matmul.h for all rows of x.
void matmul_rows(const ActivationView& x, const TensorView& weight, std::span<const float> bias,
                 int64_t begin, int64_t end, const ActivationView& y);

}  // namespace forge::kernels::ref
