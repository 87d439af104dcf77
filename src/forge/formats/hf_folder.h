// The JSON files of a Hugging Face model folder.
#pragma once

#include <optional>
#include <string>

#include "forge/base/json.h"
#include "forge/base/result.h"

namespace forge::formats {

/// Parsed files of one folder; their roots are objects. tokenizer.json is not among them: the
/// tokenizer reads it itself.
struct HfFolder {
  std::string path;
  json::Document config;                             // config.json
  std::optional<json::Document> generation_config;   // generation_config.json
  std::optional<json::Document> tokenizer_config;    // tokenizer_config.json
  std::optional<json::Document> special_tokens_map;  // special_tokens_map.json
};

/// Fails where the folder or its config.json is missing, and where any of the files is there but
/// not a JSON object.
[[nodiscard]] Result<HfFolder> open_hf_folder(const std::string& path);

}  // namespace forge::formats
