// Writing safetensors files.
#pragma once

#include <map>
#include <span>
#include <string>

#include "forge/base/result.h"
#include "forge/formats/checkpoint.h"

namespace forge::formats {

/// Writes the tensors (F32, F16, BF16; names unique valid UTF-8, not "__metadata__") to one file,
/// in their order; NamedTensor::file is not looked at. metadata becomes __metadata__ where it is
/// not empty; Hugging Face's loader wants {"format": "pt"}. Goes through a temporary file beside
/// path that is renamed when complete.
[[nodiscard]] Status write_safetensors(const std::string& path,
                                       std::span<const NamedTensor> tensors,
                                       const std::map<std::string, std::string>& metadata = {});

}  // namespace forge::formats
