#include <filesystem>
#include <utility>

#include "forge/formats/hf_folder.h"
#include "forge/formats/safetensors.h"
#include "forge/models/bind_weights.h"
#include "forge/models/model.h"
#include "forge/models/model_config.h"
#include "forge/models/tensor_table.h"
#include "forge/models/token_ids.h"

namespace forge::models {
namespace {

namespace fs = std::filesystem;

std::string folder_name(const std::string& path) {
  const fs::path normal = fs::absolute(path).lexically_normal();
  const fs::path name = normal.has_filename() ? normal.filename() : normal.parent_path().filename();
  return name.string();
}

Result<std::unique_ptr<Model>> bind(std::unique_ptr<Model> model, CheckpointFormat format,
                                    const LoadOptions& options) {
  FORGE_TRY(model->weights, bind_weights(model->spec, model->tensor_set(), format, model->path));
  if (options.check_weights) FORGE_TRY_STATUS(check_finite(model->tensor_set()));
  return model;
}

Result<std::unique_ptr<Model>> load_folder(const std::string& path, const LoadOptions& options) {
  FORGE_TRY(const auto folder, formats::open_hf_folder(path));
  auto model = std::make_unique<Model>();
  model->path = path;
  FORGE_TRY(model->spec, read_hf_spec(folder.config.root(), path + "/config.json", options));
  const json::Value generation =
      folder.generation_config ? folder.generation_config->root() : json::Value();
  FORGE_TRY_STATUS(read_hf_token_ids(folder.config.root(), generation, path, model->spec));
  model->spec.model_name = folder_name(path);
  FORGE_TRY(model->tensors, formats::open_safetensors_folder(path));
  model->is_mapped = true;
  return bind(std::move(model), CheckpointFormat::kHuggingFace, options);
}

Result<std::unique_ptr<Model>> from_gguf(formats::GgufFile file, const LoadOptions& options) {
  auto model = std::make_unique<Model>();
  model->path = file.path();
  FORGE_TRY(model->spec, read_gguf_spec(file, options));
  read_gguf_token_ids(file, model->spec);
  const formats::GgufValue* name = file.find("general.name");
  const auto text = name == nullptr ? std::nullopt : name->as_string();
  model->spec.model_name = text ? std::string(*text) : fs::path(file.path()).stem().string();
  model->gguf = std::move(file);
  return bind(std::move(model), CheckpointFormat::kGguf, options);
}

}  // namespace

Result<std::unique_ptr<Model>> load_model(const std::string& path, const LoadOptions& options) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) return make_error("{}: no such file or folder", path);
  if (fs::is_directory(status)) return load_folder(path, options);
  const fs::path extension = fs::path(path).extension();
  if (extension == ".safetensors" || extension == ".json") {
    return make_error(
        "{}: expected the folder that holds it (config.json and *.safetensors), or a "
        ".gguf file",
        path);
  }
  FORGE_TRY(auto file, formats::GgufFile::open(path));
  FORGE_TRY(auto model, from_gguf(std::move(file), options));
  model->is_mapped = true;
  return model;
}

Result<std::unique_ptr<Model>> load_gguf_model(std::span<const std::byte> bytes,
                                               const std::string& origin,
                                               const LoadOptions& options) {
  FORGE_TRY(auto file, formats::GgufFile::parse(bytes, origin));
  return from_gguf(std::move(file), options);
}

}  // namespace forge::models
