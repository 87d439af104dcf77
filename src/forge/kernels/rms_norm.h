// Root-mean-square normalisation.
#pragma once

#include <span>

#include "forge/kernels/context.h"
#include "forge/tensor/view.h"

namespace forge::kernels {

/// y = x / sqrt(mean(x^2) + eps) * weight over each group of weight.size() consecutive columns: one
/// group is the norm of a whole row, several are the per-head norms of q and k.
///
/// x: (n_tokens, n_groups * group).   weight: (group), f32.   y: same shape as x; may be x itself.
/// Sums in double in an order that does not depend on n_tokens.
/// Source: Zhang & Sennrich 2019, arXiv:1910.07467.
void rms_norm(const ActivationView& x, std::span<const float> weight, float eps,
              const ActivationView& y, const Context& context);

}  // namespace forge::kernels
