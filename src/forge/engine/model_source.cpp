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

/// A .gguf file of a folder that holds no Hugging Face model or tokenizer, or empty.
std::string gguf_beside_nothing(const fs::path& folder) {
  for (const char* name : {"config.json", "tokenizer.json", "tokenizer.model", "vocab.json"}) {
    if (fs::exists(folder / name)) return "";
  }
  std::error_code ignored;
  std::string first;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    const std::string path = entry.path().string();
    if (entry.path().extension() == ".gguf" && (first.empty() || path < first)) first = path;
  }
  return first;
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
    const std::string gguf = gguf_beside_nothing(path);
    if (!gguf.empty()) {
      return make_error("{}: no config.json in it, but a GGUF file: give {} itself", path, gguf);
    }
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
      "{}: no such file or folder, and no name of the Hugging Face Hub (org/name) that is "
      "looked for here: forge pull fetches those and prints the path to give",
      path);
}

}  // namespace forge::engine
