// From a whole configuration to a ModelSpec: chooses the architecture, lets it read, refuses the
// rest.
#pragma once

#include <string>

#include "forge/base/json.h"
#include "forge/base/result.h"
#include "forge/formats/gguf.h"
#include "forge/models/model.h"
#include "forge/models/model_spec.h"

namespace forge::models {

/// Reads config.json. origin is its path, for errors. Token ids and the name are left alone.
[[nodiscard]] Result<ModelSpec> read_hf_spec(const json::Value& config, const std::string& origin,
                                             const LoadOptions& options);

/// Reads the metadata of a GGUF file, and the tensors' names where GGUF says something only there.
[[nodiscard]] Result<ModelSpec> read_gguf_spec(const formats::GgufFile& file,
                                               const LoadOptions& options);

}  // namespace forge::models
