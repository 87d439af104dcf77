// Which type an NVIDIA device computes a checkpoint's products in.
#pragma once

#include "forge/models/decoder.h"
#include "forge/models/model.h"

namespace forge::models {

/// backend.cuda_product_type where it says one; else f16 for a checkpoint whose layers' matrices
/// are all F16, which bf16 would round, and bf16 for every other.
[[nodiscard]] kernels::cuda::ProductType device_product_type(const Model& model,
                                                             const BackendOptions& backend);

}  // namespace forge::models
