// From a checkpoint's tensors to weights by role.
#pragma once

#include "forge/base/result.h"
#include "forge/formats/checkpoint.h"
#include "forge/models/model_spec.h"
#include "forge/models/tensor_table.h"
#include "forge/models/weights.h"

namespace forge::models {

/// Finds every tensor the table asks of this spec, splits fused ones into row ranges, and returns
/// views into the checkpoint. Refuses, naming file and tensor: one that is missing, one of another
/// shape or of a type its role cannot have, and one that nothing asked for (it would change the
/// maths of the model it belongs to). origin names the checkpoint where no file can be blamed.
[[nodiscard]] Result<ModelWeights> bind_weights(const ModelSpec& spec,
                                                const formats::TensorSet& tensors,
                                                CheckpointFormat format, const std::string& origin);

/// Decodes every element of every tensor; the first NaN or infinity is refused with file, tensor
/// and index. Reads the whole checkpoint once, on all CPUs.
[[nodiscard]] Status check_finite(const formats::TensorSet& tensors);

}  // namespace forge::models
