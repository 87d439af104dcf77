// The middle of a gated MLP.
#pragma once

#include "forge/kernels/context.h"
#include "forge/tensor/view.h"

namespace forge::kernels {

/// silu(x) = x / (1 + exp(-x)). Source: Elfwing et al. 2017, arXiv:1702.03118.
/// gelu_tanh(x) = x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))). Source: Hendrycks & Gimpel 2016,
/// arXiv:1606.08415.
enum class GateFunction { kSilu, kGeluTanh };

/// gate = function(gate) * up, in place.   gate, up: (n_tokens, ffn_dim).
void gated_activation(const ActivationView& gate, const ActivationView& up, GateFunction function,
                      const Context& context);

}  // namespace forge::kernels
