// Reference: gated activation of one row.
#pragma once

#include <cstdint>

#include "forge/kernels/gated_activation.h"

namespace forge::kernels::ref {

/// gate, up: (n); gate is overwritten.
void gated_activation(float* gate, const float* up, int64_t n, GateFunction function);

}  // namespace forge::kernels::ref
