// Token embedding.
#pragma once

#include <cstdint>
#include <span>

#include "forge/kernels/context.h"
#include "forge/tensor/view.h"

namespace forge::kernels {

/// y[t] = f32 values of row token_ids[t] of the table.
///
/// table: (vocab_size, hidden_dim), any storage type.   token_ids: (n_tokens), each < vocab_size.
/// y: (n_tokens, hidden_dim).
void embedding(const TensorView& table, std::span<const int32_t> token_ids, const ActivationView& y,
               const Context& context);

}  // namespace forge::kernels
