#include "forge/formats/hf_folder.h"

#include <filesystem>
#include <system_error>
#include <utility>

namespace forge::formats {
namespace {

Result<json::Document> load_object(const std::string& path) {
  FORGE_TRY(json::Document document, json::Document::load(path));
  if (!document.root().is_object()) {
    return make_error("{}: found a JSON value that is no object, expected an object", path);
  }
  return document;
}

// Nothing where there is no such file; a file that cannot be read is an error.
Result<std::optional<json::Document>> load_optional(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error) && !error) return std::optional<json::Document>();
  FORGE_TRY(json::Document document, load_object(path));
  return std::optional<json::Document>(std::move(document));
}

}  // namespace

Result<HfFolder> open_hf_folder(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return make_error("{}: no such folder", path);
  if (!std::filesystem::is_directory(path, error)) {
    return make_error("{}: a file, expected a folder", path);
  }
  const std::string config_path = path + "/config.json";
  if (!std::filesystem::exists(config_path, error)) {
    return make_error("{}: no config.json in it, expected a Hugging Face model folder", path);
  }
  FORGE_TRY(json::Document config, load_object(config_path));
  FORGE_TRY(auto generation_config, load_optional(path + "/generation_config.json"));
  FORGE_TRY(auto tokenizer_config, load_optional(path + "/tokenizer_config.json"));
  FORGE_TRY(auto special_tokens_map, load_optional(path + "/special_tokens_map.json"));
  return HfFolder{path, std::move(config), std::move(generation_config),
                  std::move(tokenizer_config), std::move(special_tokens_map)};
}

}  // namespace forge::formats
