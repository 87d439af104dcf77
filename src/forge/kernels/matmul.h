// Linear layers.
#pragma once

#include <span>

#include "forge/kernels/context.h"
#include "forge/tensor/view.h"

namespace forge::kernels {

/// y = x W^T + bias.
///
/// x: (n_tokens, K).   weight: (N, K), any storage type.   bias: (N) f32, or empty.
/// y: (n_tokens, N), not x.
/// Each output is one dot product over K in a fixed order: a row has the same bits in any batch.
void matmul(const ActivationView& x, const TensorView& weight, std::span<const float> bias,
            const ActivationView& y, const Context& context);

}  // namespace forge::kernels
