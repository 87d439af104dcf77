// model.safetensors.index.json: which shard of a checkpoint holds which tensor.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "forge/base/json.h"
#include "forge/base/result.h"

namespace forge::formats {

/// The index's weight_map.
struct SafetensorsIndex {
  /// Tensor name to the file name of its shard. File names have no directory in them and end in
  /// .safetensors.
  std::map<std::string, std::string, std::less<>> shard_of;
};

/// Reads a parsed index: its weight_map, whose tensors must be named once each. A shard's name that
/// would leave the folder ("../x", "/x") is refused. origin names the index in errors.
[[nodiscard]] Result<SafetensorsIndex> read_safetensors_index(const json::Value& root,
                                                              std::string_view origin);

}  // namespace forge::formats
