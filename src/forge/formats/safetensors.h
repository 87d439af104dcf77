// Safetensors. Source: the format section of the safetensors project's README.
#pragma once

#include <string>

#include "forge/base/result.h"
#include "forge/formats/checkpoint.h"

namespace forge::formats {

/// Opens one .safetensors file: F32, F16 and BF16 tensors; any other type is refused by name.
/// Nothing is copied.
[[nodiscard]] Result<TensorSet> open_safetensors(const std::string& path);

/// Opens a Hugging Face folder's weights: model.safetensors, or every shard that
/// model.safetensors.index.json lists; each tensor must be in the shard the index names.
[[nodiscard]] Result<TensorSet> open_safetensors_folder(const std::string& folder);

}  // namespace forge::formats
