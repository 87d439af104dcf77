// Reference: one normalised vector.
#pragma once

#include <cstdint>

namespace forge::kernels::ref {

/// x, weight, y: (n); y may be x.
void rms_norm(const float* x, const float* weight, int64_t n, float eps, float* y);

}  // namespace forge::kernels::ref
