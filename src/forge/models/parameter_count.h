// How many numbers a checkpoint has.
#pragma once

#include <cstdint>

#include "forge/models/model.h"

namespace forge::models {

/// Elements of all tensors of the checkpoint; tied embeddings count once.
[[nodiscard]] int64_t parameter_count(const Model& model);

}  // namespace forge::models
