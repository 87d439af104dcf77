// Residual connection.
#pragma once

#include "forge/kernels/context.h"
#include "forge/tensor/view.h"

namespace forge::kernels {

/// y += x.   x, y: (n_tokens, hidden_dim).
void residual_add(const ActivationView& x, const ActivationView& y, const Context& context);

}  // namespace forge::kernels
