#include "forge/engine/model_source.h"

#include <filesystem>
#include <system_error>

namespace forge::engine {
namespace {

namespace fs = std::filesystem;

bool looks_like_path(std::string_view name) {
  return name.starts_with('/') || name.starts_with('.') || name.starts_with('~') ||
         name.ends_with('/') || name.ends_with(".gguf") || name.ends_with(".safetensors");
}

}  // namespace

Result<ModelSource> resolve_model(std::string_view name) {
  if (name.empty() || name == "bundled") {
    return ModelSource{ModelSource::Kind::kBundled, "bundled model"};
  }
  const std::string path(name);
  std::error_code failure;
  const fs::file_status status = fs::status(path, failure);
  if (fs::is_directory(status)) {
    return ModelSource{ModelSource::Kind::kFolder, path};
  }
  if (fs::is_regular_file(status)) {
    if (name.ends_with(".safetensors") || name.ends_with(".json")) {
      return make_error("{}: expected a .gguf file or a model's folder: give the folder it is in",
                        path);
    }
    return ModelSource{ModelSource::Kind::kGgufFile, path};
  }
  if (fs::exists(status)) {
    return make_error("{}: neither a file nor a folder, expected a .gguf file or a model's folder",
                      path);
  }
  if (failure && failure != std::errc::no_such_file_or_directory) {
    return make_error("{}: {}", path, failure.message());
  }
  if (looks_like_path(name)) {
    return make_error("{}: no such file or folder, expected a .gguf file or a model's folder",
                      path);
  }
  return make_error(
      "{}: no such file or folder, and this version does not download models by name: "
      "download it first and give its folder or .gguf file",
      path);
}

}  // namespace forge::engine
