// A loaded checkpoint: spec, weights by role, and whatever owns the bytes.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "forge/base/result.h"
#include "forge/formats/gguf.h"
#include "forge/models/model_spec.h"
#include "forge/models/weights.h"

namespace forge::models {

struct LoadOptions {
  bool check_weights = false;       // refuse NaN and infinity in any tensor (reads everything once)
  bool allow_unknown_keys = false;  // config keys Forge does not know become notes, not errors
};

/// Immutable after loading; any thread may read.
struct Model {
  ModelSpec spec;
  ModelWeights weights;
  formats::TensorSet tensors;             // safetensors: owns the mappings
  std::optional<formats::GgufFile> gguf;  // GGUF: owns mappings and metadata
  std::string path;
  bool is_mapped = false;  // the tensors' bytes are mapped files, not memory of somebody's

  /// All tensors of the checkpoint, whichever format it has.
  [[nodiscard]] const formats::TensorSet& tensor_set() const {
    return gguf ? gguf->tensors() : tensors;
  }
};

/// Loads a folder (config.json + safetensors) or a .gguf file.
[[nodiscard]] Result<std::unique_ptr<Model>> load_model(const std::string& path,
                                                        const LoadOptions& options = {});
/// Loads a GGUF that is in memory and outlives the model.
[[nodiscard]] Result<std::unique_ptr<Model>> load_gguf_model(std::span<const std::byte> bytes,
                                                             const std::string& origin,
                                                             const LoadOptions& options = {});

}  // namespace forge::models
